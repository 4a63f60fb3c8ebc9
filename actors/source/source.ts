import * as v from "valibot";
import { Name } from "#actors/route/messages.ts";
import { actor } from "#runtime";
import { PutSource, SourceView, sourceView } from "./messages.ts";

const State = v.object({ config: v.nullable(PutSource) });

/**
 * `source/<name>`: a sender of webhooks, with the secrets it signs with. They are in its state alone, never in an event,
 * a broadcast or an answer.
 */
export const Source = actor("source", {
  key: Name,
  state: State,
  initial: (): v.InferOutput<typeof State> => ({ config: null }),
  messages: ({ command, query }) => ({
    put: command({ in: PutSource, out: v.object({ created: v.boolean() }) }, (c, config) => {
      const created = c.state.config === null;
      c.state.config = config;
      c.broadcast("gateway", "source.changed", { name: c.key });
      return { created };
    }),
    /** Refused with `unknown_source`. */
    remove: command({}, (c) => {
      c.require(c.state.config !== null, "unknown_source");
      c.broadcast("gateway", "source.changed", { name: c.key });
      c.destroy();
    }),
    get: query({ out: v.nullable(SourceView) }, ({ key, state }) =>
      state.config === null ? null : sourceView(key, state.config),
    ),
  }),
});
