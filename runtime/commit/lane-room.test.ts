import { expect, test } from "bun:test";
import type { Clock } from "../base/clock.ts";
import { LaneRoom } from "./lane-room.ts";

/** A lane whose transactions take a while each, and some more for each turn. */
class Lane {
  #nowMs = 0;
  readonly room: LaneRoom;
  fixedMs: number;
  readonly #turnMs: number;

  constructor(fixedMs: number, turnMs: number) {
    this.fixedMs = fixedMs;
    this.#turnMs = turnMs;
    this.room = new LaneRoom({ monotonic: () => this.#nowMs } as Clock);
  }

  /** One transaction with as many turns as may be begun while it runs, or fewer. Returns how long it took. */
  write(most = Number.POSITIVE_INFINITY): number {
    const turns: { readonly length: number }[] = [];
    while (!this.room.full && turns.length < most) {
      this.room.joined(1);
      turns.push({ length: 1 });
    }
    // The other half is written by the next one.
    const batch = turns.slice(0, Math.max(1, turns.length >> 1));
    const ms = this.fixedMs + batch.length * this.#turnMs;
    this.#nowMs += ms;
    this.room.took(batch.length, ms);
    this.room.left(turns);
    return ms;
  }

  /** Seconds of more than can be written. Returns the slowest transaction of the last of them. */
  overload(seconds: number): number {
    const until = this.#nowMs + seconds * 1_000;
    let slowest = 0;
    while (this.#nowMs < until) {
      const ms = this.write();
      if (this.#nowMs > until - 1_000) slowest = Math.max(slowest, ms);
    }
    return slowest;
  }
}

test("a minute of overload makes transactions no slower than at its beginning: what a turn waits for stays bounded", () => {
  const lane = new Lane(2, 0.03);
  for (let i = 0; i < 50; i++) lane.write(20);
  const atFirst = lane.overload(2);
  expect(atFirst).toBeLessThan(20); // a small one takes 2.3 ms
  expect(lane.overload(60)).toBeLessThan(atFirst * 1.5);
});

test("where each transaction is slow by itself it holds as many turns as it can", () => {
  const lane = new Lane(40, 0.01);
  for (let i = 0; i < 50; i++) lane.write(20);
  lane.overload(20);
  // Its turns add little to what it takes: the largest there may be.
  expect(lane.overload(10)).toBeGreaterThan(40 + 0.01 * 1_500);
});

test("a store that has become slower for good is given large transactions again", () => {
  const lane = new Lane(2, 0.01);
  for (let i = 0; i < 50; i++) lane.write(20);
  lane.overload(2);
  lane.fixedMs = 40;
  // More than the smallest window, 128 turns, would make of it.
  expect(lane.overload(20)).toBeGreaterThan(40 + 0.01 * 500);
});

test("in a standing overload a lane that is free for a moment takes no new burst; after a calm second it does", () => {
  let nowMs = 10_000;
  const room = new LaneRoom({ monotonic: () => nowMs } as Clock);
  const actor = { wake: () => undefined, blockedMessages: 0 };
  // More than a transaction can take, less than a burst may be.
  const many = 3_000;
  room.block(actor, many);
  expect(room.admits(false)).toBe(true);
  nowMs += 300;
  expect(room.admits(false)).toBe(false);
  room.unblock(actor);
  nowMs += 20;
  room.block(actor, many);
  expect(room.admits(false)).toBe(false);
  room.unblock(actor);
  nowMs += 1_100;
  room.block(actor, many);
  expect(room.admits(false)).toBe(true);
});
