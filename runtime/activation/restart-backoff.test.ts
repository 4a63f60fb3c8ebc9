import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type TroupeError } from "#runtime";
import { systemRandomness } from "../base/randomness.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { RestartBackoff } from "./restart-backoff.ts";

const POLICY = { backoff: { min: "1s", max: "1m" } } as const;

test("RestartBackoff doubles the pause with each throw in a row, up to the longest", () => {
  const restart = new RestartBackoff(POLICY, systemRandomness);
  expect(restart.remainingMs(0)).toBeLessThanOrEqual(0);
  for (const [i, seconds] of [1, 2, 4, 8, 16, 32, 60, 60].entries()) {
    restart.threw(0);
    const pause = restart.remainingMs(0);
    expect([i, pause >= seconds * 800, pause <= seconds * 1_200]).toEqual([i, true, true]);
  }
  // Time counts from the last throw.
  expect(restart.remainingMs(100_000)).toBeLessThanOrEqual(0);
});

test("RestartBackoff: a turn that commits ends the row", () => {
  const restart = new RestartBackoff(POLICY, systemRandomness);
  for (let i = 0; i < 5; i++) restart.threw(0);
  restart.endedWell();
  expect(restart.remainingMs(0)).toBe(0);
  restart.threw(0);
  expect(restart.remainingMs(0)).toBeLessThanOrEqual(1_200);
});

/** An actor that throws when it is told to, and writes down when it was asked. */
function moody(clock: ManualClock, restart: { restart?: typeof POLICY }) {
  const asked: string[] = [];
  const start = clock.now();
  const Moody = actor("moody", {
    state: v.object({ good: v.number() }),
    initial: () => ({ good: 0 }),
    poison: { after: 100 },
    ...restart,
    messages: ({ command }) => ({
      arm: command({ in: v.array(v.string()) }, (c, names) => {
        for (const name of names) c.timers.set(name, { in: 0, send: "bad", with: name });
      }),
      sendBad: command({ in: v.string() }, (c, to): void => c.send(Moody, to, "bad", "send")),
      tickSoon: command({}, (c) => c.timers.set("tick", { in: 0, send: "tick" })),
      tick: command({}, () => void asked.push("tick")),
      bad: command({ in: v.string() }, (_c, name) => {
        asked.push(`${name} ${clock.now() - start}`);
        throw new Error("always");
      }),
      good: command({ out: v.number() }, (c) => ++c.state.good),
      idle: command({}, () => undefined),
    }),
  });
  return { Moody, asked };
}

async function stop(troupe: { stop(): Promise<void> }, clock: ManualClock): Promise<void> {
  const stopped = troupe.stop();
  await clock.advance(10_100);
  await stopped;
}

test("after throws in a row, timers and sends wait; calls are answered at once; a turn that commits ends the pause", async () => {
  const clock = new ManualClock();
  const { Moody, asked } = moody(clock, { restart: POLICY });
  const troupe = await createTroupe({ actors: [Moody], stores: { default: memory("memory", clock) }, clock });
  const ref = troupe.ref(Moody, "a");
  const other = troupe.ref(Moody, "b");
  const code = (error: TroupeError): string => error.code;
  // Six throws in a row: the pause is 32 s, ±20 %.
  for (let i = 0; i < 6; i++) expect(await ref.bad("call").catch(code)).toBe("turn_failed");
  expect(asked.length).toBe(6);
  const armed = other.sendBad("a");
  await clock.advance(1);
  await armed;
  await clock.advance(20_000);
  // Neither the send nor its own second tries have reached the handler; calls that do not commit change nothing.
  expect(asked.length).toBe(6);
  const idle = ref.idle();
  await clock.advance(1);
  await idle;
  expect(asked.length).toBe(6);
  // A turn that commits shows that the actor is well: what is held back comes when its own pause is over, what is new at once.
  const good = ref.good();
  await clock.advance(1);
  expect(await good).toBe(1);
  const timer = ref.tickSoon();
  await clock.advance(5);
  await timer;
  expect(asked.slice(6)).toEqual(["tick"]);
  await clock.advance(40_000);
  expect(asked[7]).toStartWith("send ");
  await stop(troupe, clock);
});

test("without a policy each message has only its own pauses", async () => {
  const clock = new ManualClock();
  const { Moody, asked } = moody(clock, {});
  const troupe = await createTroupe({ actors: [Moody], stores: { default: memory("memory", clock) }, clock });
  const armed = troupe.ref(Moody, "a").arm(["t1", "t2"]);
  await clock.advance(1);
  await armed;
  await clock.advance(2_000);
  const tries = (name: string): number[] =>
    asked.filter((line) => line.startsWith(name)).map((line) => Number(line.split(" ")[1]));
  for (const name of ["t1", "t2"]) {
    const pauses = tries(name)
      .map((at, i, all) => at - (all[i - 1] ?? at))
      .slice(1);
    // 100, 200, 400 ms, ±20 %, whatever the other timer does.
    expect(pauses.length).toBeGreaterThanOrEqual(3);
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(80 * 2 ** i);
      expect(pause).toBeLessThanOrEqual(121 * 2 ** i);
    }
  }
  await stop(troupe, clock);
});

test("what one throw in ten breaks goes on from the state before it", async () => {
  const clock = new ManualClock();
  const { Moody } = moody(clock, { restart: POLICY });
  const troupe = await createTroupe({ actors: [Moody], stores: { default: memory("memory", clock) }, clock });
  const ref = troupe.ref(Moody, "a");
  expect(await ref.good()).toBe(1);
  await ref.bad("call").catch(() => undefined);
  expect(await ref.good()).toBe(2);
  await stop(troupe, clock);
});
