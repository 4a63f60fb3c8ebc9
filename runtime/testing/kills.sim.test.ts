import { setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { crashAt, type Outcome, simulateMany } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

/** `explode` kills the node that runs it: the handler below is reached only when nothing goes wrong any more. */
const Worker = actor("worker", {
  state: v.object({ done: v.number(), exploded: v.number() }),
  initial: () => ({ done: 0, exploded: 0 }),
  messages: ({ command }) => ({
    work: command({}, (c) => {
      c.state.done++;
    }),
    explode: command({}, (c) => {
      c.state.exploded++;
    }),
    remind: command({ in: v.object({ name: v.string(), ms: v.number() }) }, (c, { name, ms }) => {
      c.timers.set(name, { in: ms, send: "work" });
    }),
    setFuse: command({}, (c) => {
      c.timers.set("fuse", { in: 200, send: "explode" });
    }),
  }),
});

const Boss = actor("boss", {
  state: v.object({ assigned: v.number() }),
  initial: () => ({ assigned: 0 }),
  messages: ({ command }) => ({
    assign: command({ in: v.object({ to: v.string() }) }, (c, { to }) => {
      c.state.assigned++;
      c.send(Worker, to, "work");
    }),
    /** Its letter bomb goes off only once things go wrong. */
    prepare: command({ in: v.object({ to: v.string() }) }, (c, { to }) => {
      c.timers.set("bomb", { in: 100, send: "post", with: { to } });
    }),
    post: command({ in: v.object({ to: v.string() }) }, (c, { to }) => c.send(Worker, to, "explode")),
  }),
});

function deadly({ actors, history }: Outcome, isIt: (letter: string) => boolean): string | undefined {
  const kept = history.flatMap((entry) => (entry.kind === "dead-letter" ? [entry.id] : []));
  const exploded = actors(Worker).reduce((sum, { state }) => sum + state.exploded, 0);
  if (exploded === 0 && new Set(kept).size === 1 && kept.every(isIt)) return undefined;
  return `kept were ${JSON.stringify(kept)}, and ${exploded} explosions left a trace`;
}

const FAULTS = [crashAt("in-turn", { message: "explode", always: true }), "crash", "stop"] as const;

test("a send that kills every node that runs it becomes a dead letter, and what is sent beside it is done, whatever goes wrong", () =>
  simulateMany({
    seeds: 12,
    firstSeed: 50_001,
    actors: [Worker, Boss],
    faults: FAULTS,
    spanMs: 9_000,
    steps: 30,
    invariants: [
      (outcome) => deadly(outcome, (letter) => letter.startsWith("actors:msg_")),
      ({ actors }) => {
        const done = actors(Worker).reduce((sum, { state }) => sum + state.done, 0);
        const assigned = actors(Boss).reduce((sum, { state }) => sum + state.assigned, 0);
        return done === assigned || `${done} of ${assigned} jobs are done`;
      },
    ],
    prepare: ({ ref }) => ref(Boss, "killer").prepare({ to: "a" }, { id: "prepare" }),
    workload: ({ ref, random, step }) =>
      ref(Boss, random.pick(["x", "y"]), { tries: 9 }).assign({ to: random.pick(["a", "b"]) }, { id: `job-${step}` }),
  }));

test("a timer that kills every node that runs it becomes a dead letter, and the timers beside it fire, whatever goes wrong", () =>
  simulateMany({
    seeds: 12,
    firstSeed: 55_001,
    actors: [Worker],
    faults: FAULTS,
    spanMs: 9_000,
    steps: 30,
    settleMs: 1_000,
    invariants: [(outcome) => deadly(outcome, (letter) => letter.startsWith("timer:worker/a:fuse:"))],
    prepare: ({ ref }) => ref(Worker, "a").setFuse(undefined, { id: "prepare" }),
    workload: ({ ref, random, step }) =>
      ref(Worker, random.pick(["a", "b"]), { tries: 9 }).remind(
        { name: `timer-${step}`, ms: 5 },
        { id: `set-${step}` },
      ),
  }));

test("timers that come due in the same moment as one that kills are not taken for it", () =>
  simulateMany({
    seeds: 6,
    firstSeed: 57_001,
    actors: [Worker],
    nodes: 1,
    faults: [crashAt("in-turn", { message: "explode", always: true })],
    spanMs: 12_000,
    settleMs: 1_000,
    invariants: [
      (outcome) => deadly(outcome, (letter) => letter.startsWith("timer:worker/w3:fuse:")),
      ({ actors }) => actors(Worker).reduce((sum, { state }) => sum + state.done, 0) === 11,
    ],
    prepare: ({ ref }) =>
      Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          i === 3
            ? ref(Worker, "w3").setFuse(undefined, { id: "fuse" })
            : ref(Worker, `w${i}`).remind({ name: "job", ms: 200 }, { id: `job-${i}` }),
        ),
      ),
    workload: () => Promise.resolve(),
  }));

test("a call that kills every node that runs it is answered by the third death, and is not taken to one node more", () =>
  simulateMany({
    seeds: 12,
    firstSeed: 58_001,
    actors: [Worker],
    nodes: 5,
    faults: [crashAt("in-turn", { message: "explode", always: true })],
    spanMs: 30_000,
    invariants: [
      ({ history }) => {
        const deaths = history.filter((entry) => entry.kind === "node" && entry.event === "crashed").length;
        return deaths <= 3 || `${deaths} nodes died of one call`;
      },
    ],
    steps: 1,
    workload: ({ ref }) => ref(Worker, "a").explode(undefined, { id: "boom", timeout: "25s" }),
  }));
