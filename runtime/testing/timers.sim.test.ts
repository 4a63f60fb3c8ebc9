import { setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor } from "#runtime";
import { type Outcome, simulateMany } from "#runtime/testing";

setDefaultTimeout(0x7fffffff);

const Alarm = actor("alarm", {
  state: v.object({ set: v.number(), rung: v.number(), cancelled: v.number() }),
  initial: () => ({ set: 0, rung: 0, cancelled: 0 }),
  emits: { "alarm.rang.v1": v.object({ rung: v.number() }) },
  messages: ({ command }) => ({
    /** Each alarm has a timer of its own: none replaces another. */
    set: command({ in: v.object({ ms: v.number() }) }, (c, { ms }) => {
      c.timers.set(`alarm-${c.state.set++}`, { in: ms, send: "ring" });
    }),
    ring: command({}, (c) => {
      c.state.rung++;
      c.emit("alarm.rang.v1", { rung: c.state.rung });
    }),
    /** A timer that its own firing sets anew, a few times. */
    beat: command({ in: v.object({ left: v.number() }) }, (c, { left }) => {
      if (left > 0) c.timers.set("beat", { in: 40, send: "beat", with: { left: left - 1 } });
    }),
    /** Puts the same timer off again and again: only the last due time counts. */
    snooze: command({ in: v.object({ ms: v.number() }) }, (c, { ms }) => {
      c.timers.set("snooze", { in: ms, send: "woken" });
    }),
    woken: command({}, () => undefined),
    hush: command({}, (c) => c.timers.cancel("snooze")),
  }),
});

function everyAlarmRang({ actors }: Outcome): string | undefined {
  const silent = actors(Alarm).find(({ state }) => state.set !== state.rung);
  return silent && `${silent.key} was set ${silent.state.set} times and rang ${silent.state.rung} times`;
}

test("timers fire once each and never early, whatever goes wrong", () =>
  simulateMany({
    seeds: 500,
    firstSeed: 20_001,
    actors: [Alarm],
    invariants: [everyAlarmRang],
    settleMs: 1_200,
    workload: async ({ ref, random, step }) => {
      const alarm = ref(Alarm, random.pick(["a", "b", "c"]), { tries: 4 });
      const options = { id: `alarm-${step}` };
      const what = random.between(1, 5);
      if (what <= 2) await alarm.set({ ms: random.between(0, 500) }, options);
      else if (what === 3) await alarm.beat({ left: 4 }, options);
      else if (what === 4) await alarm.snooze({ ms: 120 }, options);
      else await alarm.hush(undefined, options);
    },
  }));

test("a timer that was moved or cancelled fires no more, however late the reads of timers are answered", () =>
  simulateMany({
    seeds: 60,
    firstSeed: 25_001,
    actors: [Alarm],
    faults: ["read-late", "stop", "commit-unknown"],
    leaseMs: 10_000,
    spanMs: 100_000,
    settleMs: 60_000,
    steps: 40,
    workload: async ({ ref, random, step }) => {
      const alarm = ref(Alarm, random.pick(["a", "b", "c"]), { tries: 4 });
      const options = { id: `alarm-${step}` };
      if (random.chance(0.6)) await alarm.snooze({ ms: random.between(10_000, 50_000) }, options);
      else await alarm.hush(undefined, options);
    },
  }));
