/**
 * How much of a commit lane is taken, and who waits for room in it (G9).
 *
 * Owns: the bounds of what waits for its commit, and the order in which blocked actors go on. Does not own: the turns
 * (`CommitLane`), the messages (the mailboxes).
 * Calls in: `joined` and `left` by the lane; `full`, `block`, `unblock`, `admits` by the actors. Calls out: `wake` of a
 * blocked actor.
 *
 * B1 while the lane is full no turn begins in it: turns and characters that are not durable yet are bounded, and with them
 *    the time until a turn that began is answered.
 * B2 messages that wait for room wait in their mailboxes, in the order their actors were blocked. A burst may wait; once the
 *    lane has been full for a while, only as many may as one more transaction can take, and further calls are turned away.
 * B3 all messages that wait in mailboxes of the lane, for whatever reason, are bounded together.
 */
import type { Clock } from "../base/clock.ts";
import { MAX_LANE_LENGTH, MAX_WAITING_MESSAGES } from "../base/limits.ts";

/** An actor that has messages, and no room to begin a turn. `blockedMessages` is written here alone. */
export interface Blocked {
  /** How many of its messages are counted as blocked: 0 when it is not blocked. */
  blockedMessages: number;
  /** There may be room now. */
  wake(): void;
}

/** Turns in one transaction, at most: bounds its size and its time. */
export const MAX_BATCH_TURNS = 2_000;
const MIN_WINDOW = 128;
/** Calls that may wait for room while the lane has only just become full. */
const BURST = 4_096;
/** A lane that is full for longer does not have a burst: more comes than it can take. */
const STANDING_MS = 250;
/** A lane that was free for less is as it was before: in a standing overload it is free for a moment now and then. */
const CALM_MS = 1_000;
/** A transaction may take this many times as long as a small one, or this much longer, before the window shrinks. */
const SLOWER = 3;
const SLACK_MS = 10;
/** How much each small transaction counts for what a small one takes. */
const WEIGHT = 0.1;

export class LaneRoom {
  /** Whether no further turn may begin now (LaneRoom.B1). */
  full = false;
  /** Messages in mailboxes of the lane. Kept by the mailboxes. */
  waiting = 0;
  readonly #clock: Clock;
  /** Turns that one transaction should hold: as many as it takes without becoming slow. */
  #window = MAX_BATCH_TURNS;
  /**
   * How long a small transaction takes. Large ones never raise it: when more comes than can be written there are no others, and
   * what they take would soon be the measure of itself.
   */
  #smallMs = Number.POSITIVE_INFINITY;
  #lastMs = 0;
  #turns = 0;
  #length = 0;
  /** Those that are blocked, in the order they were. */
  readonly #blocked = new Set<Blocked>();
  #blockedMessages = 0;
  #blockedSince = 0;
  #freeSince = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Turns that wait for their commit. */
  get turns(): number {
    return this.#turns;
  }

  /** Turns that may wait before no further one begins. */
  get limit(): number {
    return 2 * this.#window;
  }

  /** A turn waits for its commit from now on. `length`: what it leaves to be written, in characters. */
  joined(length: number): void {
    this.#turns++;
    this.#length += length;
    this.#look();
  }

  /** Turns that do not wait for their commit any more. Blocked actors may go on. */
  left(turns: readonly { readonly length: number }[]): void {
    this.#turns -= turns.length;
    for (const turn of turns) this.#length -= turn.length;
    this.#look();
    // Each once: one that is blocked again stands at the end.
    for (let tries = this.#blocked.size; tries > 0 && !this.full; tries--) {
      const [actor] = this.#blocked.keys();
      if (actor === undefined) return;
      this.unblock(actor);
      actor.wake();
    }
  }

  /** A transaction of so many turns took so long: the next ones should hold more, or fewer. */
  took(turns: number, ms: number): void {
    this.#lastMs = ms;
    if (turns > MIN_WINDOW || this.#smallMs === Number.POSITIVE_INFINITY) this.#smallMs = Math.min(ms, this.#smallMs);
    else this.#smallMs += (ms - this.#smallMs) * WEIGHT;
    if (ms > Math.max(this.#smallMs * SLOWER, this.#smallMs + SLACK_MS))
      this.#window = Math.max(MIN_WINDOW, Math.floor(this.#window * 0.75));
    else if (turns >= this.#window / 2) this.#window = Math.min(MAX_BATCH_TURNS, Math.ceil(this.#window * 1.25));
    this.#look();
  }

  /** `actor` has so many messages, one at least, and waits for room. Told again whenever it has more. */
  block(actor: Blocked, messages: number): void {
    if (actor.blockedMessages === 0) {
      if (this.#blocked.size === 0) this.#beginBlocked();
      this.#blocked.add(actor);
    }
    this.#blockedMessages += messages - actor.blockedMessages;
    actor.blockedMessages = messages;
  }

  unblock(actor: Blocked): void {
    if (actor.blockedMessages === 0) return;
    this.#blockedMessages -= actor.blockedMessages;
    actor.blockedMessages = 0;
    this.#blocked.delete(actor);
    if (this.#blocked.size === 0) this.#freeSince = this.#clock.monotonic();
  }

  /** Whether one more message may wait. `patient`: nobody waits for its answer, so only memory counts (LaneRoom.B2, LaneRoom.B3). */
  admits(patient: boolean): boolean {
    if (this.waiting >= MAX_WAITING_MESSAGES) return false;
    if (patient || this.#blockedMessages === 0) return true;
    const standing = this.#clock.monotonic() - this.#blockedSince > STANDING_MS;
    return this.#blockedMessages < (standing ? this.#window : BURST);
  }

  /** When it is worth to ask again, in milliseconds from now. */
  get retryAfterMs(): number {
    return Math.min(5_000, Math.max(100, Math.ceil(this.#lastMs * 4)));
  }

  #beginBlocked(): void {
    const now = this.#clock.monotonic();
    if (now - this.#freeSince > CALM_MS) this.#blockedSince = now;
  }

  #look(): void {
    this.full = this.#turns >= this.limit || this.#length >= MAX_LANE_LENGTH;
  }
}
