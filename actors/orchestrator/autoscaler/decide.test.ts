import { describe, expect, test } from "bun:test";
import { decide, type Recommendation, recent, type Work } from "./decide.ts";

const policy: Work["policy"] = { min: 1, max: 10, on: { inFlight: 20 }, upMs: 0, downMs: 60_000, toZeroAfterMs: null };
const work = (change: Partial<Work> & { on?: Work["policy"]["on"]; rules?: Partial<Work["policy"]> }): Work => ({
  policy: { ...policy, ...change.rules, on: change.on ?? policy.on },
  current: change.current ?? 1,
  readings: change.readings ?? {},
  lastRequestAt: change.lastRequestAt ?? 0,
  past: change.past ?? [],
  nowMs: change.nowMs ?? 1_000_000,
});
/** The same number was wanted for the last minute. */
const steadily = (replicas: number): Recommendation[] =>
  Array.from({ length: 60 }, (_, i) => ({ at: 1_000_000 - (60 - i) * 1_000, replicas }));

describe("decide()", () => {
  test("wants as many as carry the work, within min and max", () => {
    expect(decide(work({ readings: { inFlight: 41 } })).to).toBe(3);
    expect(decide(work({ readings: { inFlight: 9_999 } })).to).toBe(10);
    expect(decide(work({ readings: { inFlight: 0 }, current: 1 })).to).toBe(1);
  });

  test("goes by the highest of several, and says by which", () => {
    const on = { inFlight: 20, kafkaLag: { group: "g", topic: "t", perReplica: 100 } };
    const verdict = decide(work({ on, readings: { inFlight: 30, kafkaLag: 450 } }));
    expect(verdict).toMatchObject({ to: 5, metrics: { inFlight: { wants: 2 }, kafkaLag: { value: 450, wants: 5 } } });
    expect(verdict.reason).toContain("kafkaLag is 450");
  });

  test("holds a use near its target, and scales a share with the replicas that are there", () => {
    const on = { cpu: 70 };
    expect(decide(work({ on, current: 4, readings: { cpu: 75 } })).to).toBe(4);
    expect(decide(work({ on, current: 4, readings: { cpu: 140 } })).to).toBe(8);
    expect(decide(work({ on, current: 4, readings: { cpu: 35 }, past: steadily(2) })).to).toBe(2);
  });

  test("takes a higher number once it was wanted for `up`, and a lower one for `down`", () => {
    const slow = { upMs: 10_000 };
    const past = [...steadily(1).slice(0, -3), { at: 995_000, replicas: 4 }];
    expect(decide(work({ rules: slow, readings: { inFlight: 80 }, past })).to).toBe(1);
    expect(decide(work({ rules: slow, readings: { inFlight: 80 }, past: steadily(4) })).to).toBe(4);
    expect(decide(work({ current: 5, readings: { inFlight: 20 }, past: [] })).to).toBe(5);
    expect(decide(work({ current: 5, readings: { inFlight: 20 }, past: steadily(3) })).to).toBe(3);
  });

  test("says why there are neither more nor fewer", () => {
    const why = (change: Parameters<typeof work>[0]): string => decide(work(change)).reason;
    expect(why({ current: 3, readings: { inFlight: 0 } })).toBe("there is no work: 1 once that was so for 60 s");
    expect(why({ readings: { inFlight: 80 }, rules: { upMs: 10_000 }, past: steadily(1) })).toBe(
      "inFlight is 80, one replica carries 20: 4 once that was so for 10 s",
    );
    expect(why({ current: 10, readings: { inFlight: 400 } })).toBe(
      "inFlight is 400, one replica carries 20: 20 would carry it, max is 10",
    );
    expect(why({ current: 2, readings: { inFlight: 40 } })).toBe("inFlight is 40, one replica carries 20: that is 2");
    expect(why({ current: 2, readings: { inFlight: 0 }, rules: { min: 2 } })).toBe("there is no work, and min is 2");
    expect(why({ current: 2, readings: { inFlight: null } })).toBe("inFlight cannot be read: it stays at 2");
  });

  test("never makes a service smaller by what cannot be read", () => {
    const on = { inFlight: 20, natsPending: { stream: "s", consumer: "c", perReplica: 10 } };
    const blind = { inFlight: 0, natsPending: null };
    expect(decide(work({ on, current: 5, readings: blind, past: steadily(1) })).to).toBe(5);
    const up = decide(work({ on, current: 1, readings: { ...blind, inFlight: 100 } }));
    expect([up.to, up.reason]).toEqual([5, expect.stringContaining("natsPending cannot be read")]);
  });

  test("goes to zero after the given time without requests, or where min is 0 and there is nothing to do", () => {
    const sleepy = { toZeroAfterMs: 300_000 };
    const quiet = (lastRequestAt: number) =>
      decide(work({ rules: sleepy, readings: { inFlight: 0 }, lastRequestAt, past: steadily(0) })).to;
    expect(quiet(1_000_000 - 299_000)).toBe(1);
    expect(quiet(1_000_000 - 301_000)).toBe(0);
    const lag = { kafkaLag: { group: "g", topic: "t", perReplica: 100 } };
    const empty = { on: lag, rules: { min: 0 }, past: steadily(0) };
    expect(decide(work({ ...empty, readings: { kafkaLag: 0 } })).to).toBe(0);
    expect(decide(work({ ...empty, current: 0, readings: { kafkaLag: 1 } })).to).toBe(1);
    expect(decide(work({ ...empty, readings: { kafkaLag: null } })).to).toBe(1);
  });
});

test("recent() keeps what still counts", () => {
  expect(recent(steadily(2), { ...policy, downMs: 10_000 }, 1_000_000)).toHaveLength(10);
});
