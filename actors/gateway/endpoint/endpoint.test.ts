import { expect, test } from "bun:test";
import { type Clock, createTroupe, memory, systemClock } from "#runtime";
import { Endpoint } from "./endpoint.ts";

const ID = "ep_00000000-0000-7000-8000-000000000001";
const config = { url: "https://example.com/hook", description: "", types: [], ratePerSecond: null };

async function endpoint(more: object = {}) {
  // Only what actors see of the time jumps: leases would be renewed hundreds of thousands of times on the way.
  let ahead = 0;
  const now = Date.UTC(2026, 0, 1);
  const clock: Clock = {
    now: () => now + ahead,
    monotonic: () => systemClock.monotonic(),
    after: (ms, task) => systemClock.after(ms, task),
  };
  const troupe = await createTroupe({ actors: [Endpoint], stores: { default: memory() }, clock });
  const ref = troupe.ref(Endpoint, ID);
  const made = await ref.create({ ...config, ...more });
  let deliveries = 0;
  return {
    advance: (ms: number) => void (ahead += ms),
    ref,
    made,
    ask: (eventType = "demo.made", reserved = false) => ref.ask({ eventType, reserved }),
    record: (status: number) =>
      ref.record({
        deliveryId: `dlv_${++deliveries}`,
        attempt: 1,
        eventId: "1",
        eventType: "demo.made",
        outcome: status < 300 ? "delivered" : "failed",
        status,
        detail: null,
        durationMs: 1,
        response: null,
        nextTryAt: null,
      }),
    [Symbol.asyncDispose]: () => troupe.stop(),
  };
}

test("endpoint.rotate() lets both secrets sign until the overlap is over; no view shows one", async () => {
  await using e = await endpoint();
  const { secret } = await e.ref.rotate({ overlapMs: 1_000 });
  expect((await e.ref.signing())?.secrets).toEqual([secret, e.made.secret]);
  expect(JSON.stringify([await e.ref.get(), await e.ref.attempts()])).not.toContain("whsec_");
  e.advance(1_001);
  expect((await e.ref.signing())?.secrets).toEqual([secret]);
});

test("endpoint.ask() lets through what its types name, while it is enabled", async () => {
  await using e = await endpoint({ types: ["demo.*"] });
  expect(await e.ask()).toEqual({ kind: "go" });
  expect(await e.ask("other.made")).toEqual({ kind: "stop", because: "filtered" });
  await e.ref.change({ enabled: false });
  expect(await e.ask()).toEqual({ kind: "stop", because: "disabled" });
  await e.ref.remove();
  expect(await e.ask()).toEqual({ kind: "stop", because: "removed" });
});

test("endpoint.ask() gives out places within the rate, one after the other", async () => {
  await using e = await endpoint({ ratePerSecond: 10 });
  expect([await e.ask(), await e.ask(), await e.ask()]).toEqual([
    { kind: "go" },
    { kind: "wait", ms: 100, reserved: true },
    { kind: "wait", ms: 200, reserved: true },
  ]);
  e.advance(100);
  expect(await e.ask("demo.made", true)).toEqual({ kind: "go" });
});

test("the circuit opens after five failures in a row, lets one go ahead after a pause, and closes with a success", async () => {
  await using e = await endpoint();
  for (let i = 0; i < 4; i++) await e.record(500);
  expect(await e.ask()).toEqual({ kind: "go" });
  await e.record(500);
  expect(await e.ask()).toEqual({ kind: "wait", ms: 30_000, reserved: false });
  e.advance(30_000);
  expect([(await e.ask()).kind, (await e.ask()).kind]).toEqual(["go", "wait"]);
  await e.record(204);
  expect(await e.ask()).toEqual({ kind: "go" });
});

test("an open circuit stays open twice as long after each further failure, up to half an hour", async () => {
  await using e = await endpoint();
  for (let i = 0; i < 5; i++) await e.record(500);
  const pauses: number[] = [];
  for (let i = 0; i < 8; i++) {
    const turn = await e.ask();
    const ms = turn.kind === "wait" ? turn.ms : 0;
    pauses.push(ms / 1_000);
    e.advance(ms);
    await e.ask();
    await e.record(500);
  }
  expect(pauses).toEqual([30, 60, 120, 240, 480, 960, 1_800, 1_800]);
});

test("five days of nothing but failures disable an endpoint; a success in between does not; 410 does at once", async () => {
  await using e = await endpoint();
  const day = 24 * 3_600_000;
  await e.record(500);
  e.advance(4 * day);
  await e.record(200);
  await e.record(500);
  e.advance(4 * day);
  await e.record(500);
  expect(await e.ref.get()).toMatchObject({ enabled: true });
  e.advance(day);
  await e.record(500);
  expect(await e.ref.get()).toMatchObject({ enabled: false, disabledBecause: "failing" });
  expect(await e.ref.change({ enabled: true })).toMatchObject({ enabled: true, failingSince: null });
  await e.record(410);
  expect(await e.ref.get()).toMatchObject({ disabledBecause: "gone" });
});

test("endpoint.attempts() keeps the last fifty, newest first", async () => {
  await using e = await endpoint();
  for (let i = 0; i < 55; i++) await e.record(200);
  const attempts = (await e.ref.attempts()) ?? [];
  expect([attempts.length, attempts[0]?.deliveryId]).toEqual([50, "dlv_55"]);
});
