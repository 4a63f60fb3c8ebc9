import * as v from "valibot";
import { actor } from "#runtime";

/** What fills an event up to the size that the sinks alone are measured with. */
export const NOTE = "x".repeat(288);

/** The event of {@link Beat}. */
export const BEAT = "beat.happened.v1";

/** The actor of the relay's benchmarks: one numbered event of about 300 bytes per turn, or many. */
export const Beat = actor("beat", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { [BEAT]: v.object({ n: v.number(), note: v.string() }) },
  messages: ({ command }) => ({
    happen: command({ in: v.number() }, (c, n) => {
      c.state.count++;
      c.emit(BEAT, { n, note: NOTE });
    }),
    burst: command({ in: v.number() }, (c, times) => {
      c.state.count += times;
      for (let n = 0; n < times; n++) c.emit(BEAT, { n, note: NOTE });
    }),
  }),
});
