import { setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { type Outcome, simulateMany } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

const Job = v.object({ bad: v.boolean() });

const Worker = actor("worker", {
  state: v.object({ done: v.number(), rung: v.number() }),
  initial: () => ({ done: 0, rung: 0 }),
  poison: { after: 2 },
  messages: ({ command }) => ({
    work: command({ in: Job }, (c, { bad }) => {
      c.state.done += 1;
      if (bad) throw new Error("This job never works");
    }),
    ring: command({ in: Job }, (c, { bad }) => {
      c.state.rung += 1;
      if (bad) throw new Error("This timer never works");
    }),
    remind: command({ in: v.object({ name: v.string(), bad: v.boolean() }) }, (c, { name, bad }) => {
      c.timers.set(name, { in: 5, send: "ring", with: { bad } });
    }),
  }),
});

const Boss = actor("boss", {
  state: v.object({ good: v.number(), bad: v.number() }),
  initial: () => ({ good: 0, bad: 0 }),
  messages: ({ command }) => ({
    assign: command({ in: v.object({ to: v.string(), bad: v.boolean() }) }, (c, { to, bad }) => {
      c.state[bad ? "bad" : "good"]++;
      c.send(Worker, to, "work", { bad });
    }),
  }),
});

function goodJobsAreDoneAndBadOnesAreKept({ actors, history }: Outcome): string | undefined {
  const [boss] = actors(Boss);
  const done = actors(Worker).reduce((sum, { state }) => sum + state.done, 0);
  const kept = new Set(history.flatMap((entry) => (entry.kind === "dead-letter" ? [entry.id] : [])));
  const jobs = [...kept].filter((id) => id.startsWith("actors:")).length;
  if (done === (boss?.state.good ?? 0) && jobs === (boss?.state.bad ?? 0)) return undefined;
  return `${done} jobs are done and ${jobs} kept, assigned were ${JSON.stringify(boss?.state)}`;
}

test("what can never be handled becomes a dead letter, and everything else is handled, whatever goes wrong", () =>
  simulateMany({
    seeds: 150,
    firstSeed: 40_001,
    actors: [Worker, Boss],
    invariants: [goodJobsAreDoneAndBadOnesAreKept],
    workload: async ({ ref, random, step }) => {
      const [key, bad, options] = [random.pick(["a", "b"]), random.chance(0.4), { id: `step-${step}` }];
      if (random.chance(0.7)) await ref(Boss, "boss", { tries: 3 }).assign({ to: key, bad }, options);
      else await ref(Worker, key, { tries: 3 }).remind({ name: `timer-${step}`, bad }, options);
    },
  }));
