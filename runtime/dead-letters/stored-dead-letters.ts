/**
 * The dead letters of all stores of a node: found, changed, replayed and dropped.
 *
 * Owns: in which order the dead letters of a key are replayed, and the pace. Does not own: who alone works on a key
 * (`LetterClaims`), how one is given back (`replay.ts`), the rows (the store).
 * Calls in: {@link DeadLetters}. Calls out: the stores, and `route` for what goes back to an actor.
 */

import type { Clock } from "../base/clock.ts";
import { TroupeError, type TroupeErrorCode } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterReason,
  DeadLetterSummary,
  Store,
  StoredDeadLetter,
} from "../ports/store.ts";
import { type Claim, LetterClaims } from "./claims.ts";
import type { DeadLetterPage, DeadLetters, ReplayOutcome, ReplayStep } from "./dead-letters.ts";
import { editedRecord } from "./edit.ts";
import { firstBookmark, readBookmark, type ReplayBookmark, writeBookmark } from "./replay-bookmark.ts";
import { type ReplayFailure, type ReplayHost, replayStep, type ReplayWindow } from "./replay-step.ts";
import { replayLetter } from "./replay.ts";

/** What dead letters need from their node. */
export interface DeadLetterHost {
  readonly clock: Clock;
  /** A name of this node that no other process has. */
  node(): string;
  stores(): readonly Store[];
  /** Keeps a dead letter in the store of an actor type. @throws {TroupeError} `unknown_actor`. */
  recordDeadLetter(type: string, letter: DeadLetter): Promise<void>;
  route(envelope: Envelope): Promise<string | undefined>;
}

const MAX_PAGE = 200;
const MAX_STEP = 1_000;
/** Steps a second of a paced replay, at most. */
const STEPS_PER_SECOND = 20;
const STEP_MS = 5_000;
/** The pause of a paced replay for dead letters that somebody else has. */
const AGAIN_MS = 250;
const LOST: ReplayFailure = { detail: "The store could not be reached in time to go on", passing: true };
/** What a dead letter may fail with that says nothing of it or of where it goes. */
const PASSING: ReadonlySet<TroupeErrorCode> = new Set(["stopping", "fenced", "commit_failed", "mailbox_full"]);

interface Found {
  readonly store: Store;
  readonly letter: StoredDeadLetter;
}

export class StoredDeadLetters implements DeadLetters {
  readonly #host: DeadLetterHost;
  readonly #replayHost: ReplayHost;
  readonly #claims: LetterClaims;

  constructor(host: DeadLetterHost) {
    this.#host = host;
    this.#claims = new LetterClaims(host.clock, host.node);
    this.#replayHost = {
      monotonic: () => host.clock.monotonic(),
      deliver: (letter) => this.#deliver(letter),
      holding: (store, keys, patienceMs, work) => this.#claims.holding(store, keys, patienceMs, work),
    };
  }

  async list({
    limit = 50,
    after,
    ...filter
  }: DeadLetterFilter & { readonly limit?: number; readonly after?: string } = {}): Promise<DeadLetterPage> {
    const size = Math.max(1, Math.min(limit, MAX_PAGE));
    const stores = this.#host.stores();
    let { index, position } = readCursor(after, stores.length);
    const items: StoredDeadLetter[] = [];
    // Store by store: positions of different stores say nothing about each other.
    for (; index < stores.length && items.length < size; index++, position = 0) {
      const wanted = size - items.length;
      const rows = await (stores[index] as Store).deadLetters(filter, { limit: wanted, after: position });
      items.push(...rows);
      const last = rows.at(-1);
      if (rows.length === wanted && last !== undefined) return { items, next: `${index}.${last.position}` };
    }
    return { items, next: undefined };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    return (await this.#find(id))?.letter;
  }

  async counts(): Promise<ReadonlyMap<DeadLetterReason, number>> {
    const sums = new Map<DeadLetterReason, number>();
    for (const counts of await Promise.all(this.#host.stores().map((store) => store.countDeadLetters())))
      for (const { reason, count } of counts) sums.set(reason, (sums.get(reason) ?? 0) + count);
    return sums;
  }

  async summary(filter: DeadLetterFilter = {}): Promise<readonly DeadLetterSummary[]> {
    const sums = new Map<DeadLetterReason, DeadLetterSummary>();
    for (const found of await Promise.all(this.#host.stores().map((store) => store.summarizeDeadLetters(filter)))) {
      for (const { reason, count, oldest, newest } of found) {
        const sum = sums.get(reason) ?? { count: 0, oldest, newest };
        sums.set(reason, {
          reason,
          count: sum.count + count,
          oldest: Math.min(sum.oldest, oldest),
          newest: Math.max(sum.newest, newest),
        });
      }
    }
    return [...sums.values()];
  }

  async edit(
    id: string,
    change: (data: unknown, letter: StoredDeadLetter) => unknown,
    by?: string,
  ): Promise<StoredDeadLetter | undefined> {
    for (;;) {
      const found = await this.#find(id);
      if (found === undefined) return undefined;
      const { store, letter } = found;
      const changed = await this.#claims.alone(store, letter.key, async () => {
        const edited = editedRecord(letter, change, { at: this.#host.clock.now(), by });
        return (await store.amendDeadLetter(id, letter.record, edited)) ? { ...letter, ...edited } : undefined;
      });
      // Otherwise somebody was faster: the change is made to what stands there now.
      if (changed !== undefined) return changed;
    }
  }

  async replay(id: string): Promise<ReplayOutcome | undefined> {
    const found = await this.#find(id);
    if (found === undefined) return undefined;
    const { store, letter } = found;
    return this.#claims.alone(store, letter.key, async (claim) => {
      // Somebody else may have replayed or dropped it meanwhile.
      const there = await store.deadLetter(id);
      return there && this.#replayUpTo(store, there, claim);
    });
  }

  async replayAll(
    filter: DeadLetterFilter = {},
    { ratePerSecond = 10, signal }: { readonly ratePerSecond?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ReplayOutcome> {
    if (!(ratePerSecond > 0))
      throw new RangeError(`Cannot replay ${ratePerSecond} letters per second: expected more than 0`);
    const limit = Math.max(1, Math.min(Math.round(ratePerSecond / STEPS_PER_SECOND), MAX_STEP));
    const outcome = { replayed: [] as string[], failed: [] as { id: string; detail: string }[] };
    let from: ReplayBookmark | undefined;
    do {
      const begun = this.#host.clock.monotonic();
      const { replayed, failed, interrupted, next } = await this.#step(filter, from, {
        limit,
        withinMs: STEP_MS,
        signal,
        patient: false,
      });
      outcome.replayed.push(...replayed);
      outcome.failed.push(...failed);
      from = next;
      const tried = replayed.length + failed.length;
      const pace = tried === 0 && interrupted !== undefined ? AGAIN_MS : (tried * 1_000) / ratePerSecond;
      if (from !== undefined) await this.#pause(begun + pace - this.#host.clock.monotonic(), signal);
    } while (from !== undefined && signal?.aborted !== true);
    return outcome;
  }

  async replaySome(
    filter: DeadLetterFilter,
    {
      from,
      limit = MAX_STEP,
      withinMs = STEP_MS,
      signal,
    }: {
      readonly from?: string;
      readonly limit?: number;
      readonly withinMs?: number;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<ReplayStep> {
    const bookmark = from === undefined ? undefined : readBookmark(from, this.#host.stores().length);
    const size = Math.max(1, Math.min(limit, MAX_STEP));
    const step = await this.#step(filter, bookmark, { limit: size, withinMs, signal, patient: true });
    return { ...step, next: step.next && writeBookmark(step.next) };
  }

  async drop(id: string): Promise<boolean> {
    const found = await this.#find(id);
    if (found === undefined) return false;
    const { store, letter } = found;
    // A dead letter that is being replayed is either gone afterwards, or has failed and is dropped.
    return this.#claims.alone(store, letter.key, async () => (await store.removeDeadLetters([id])) > 0);
  }

  async record(type: string, letter: DeadLetter): Promise<void> {
    await this.#host.recordDeadLetter(type, letter);
  }

  /** One step in the store where the bookmark is. What is recorded after the first step belongs to the next run. */
  async #step(
    filter: DeadLetterFilter,
    from: ReplayBookmark | undefined,
    window: Omit<ReplayWindow, "after" | "upTo">,
  ): Promise<Omit<ReplayStep, "next"> & { readonly next: ReplayBookmark | undefined }> {
    const stores = this.#host.stores();
    const at = from ?? (await firstBookmark(stores));
    const store = stores[at.index];
    if (store === undefined) return { replayed: [], failed: [], heldUp: 0, interrupted: undefined, next: undefined };
    const upTo = at.upTo[at.index] ?? 0;
    const { after, ...done } = await replayStep(this.#replayHost, store, filter, { after: at.after, upTo, ...window });
    const further = after !== undefined && after < upTo ? { ...at, after } : { ...at, index: at.index + 1, after: 0 };
    return { ...done, next: further.index < stores.length ? further : undefined };
  }

  async #replayUpTo(store: Store, letter: StoredDeadLetter, claim: Claim): Promise<ReplayOutcome> {
    const replayed: string[] = [];
    for (let after = 0; after < letter.position;) {
      const page = { limit: MAX_PAGE, after, upTo: letter.position };
      const rows = await store.deadLetters({ key: letter.key }, page);
      if (rows.length === 0) break;
      for (const row of rows) {
        after = row.position;
        const failure = claim.holds() ? await this.#deliver(row) : LOST;
        if (failure !== undefined) return { replayed, failed: [{ id: row.id, detail: failure.detail }] };
        // Only after it took effect: a crash between repeats it, once-only.
        await store.removeDeadLetters([row.id]);
        replayed.push(row.id);
      }
    }
    return { replayed, failed: [] };
  }

  /** Why it failed, or `undefined`. */
  async #deliver(letter: StoredDeadLetter): Promise<ReplayFailure | undefined> {
    try {
      await replayLetter(letter, (envelope) => this.#host.route(envelope));
      return undefined;
    } catch (error) {
      const passing = error instanceof TroupeError && PASSING.has(error.code);
      return { detail: error instanceof Error ? error.message : String(error), passing };
    }
  }

  async #find(id: string): Promise<Found | undefined> {
    for (const store of this.#host.stores()) {
      const letter = await store.deadLetter(id);
      if (letter !== undefined) return { store, letter };
    }
    return undefined;
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#host.clock.after(ms, done);
      signal?.addEventListener("abort", done);
    });
  }
}

function readCursor(after: string | undefined, stores: number): { index: number; position: number } {
  if (after === undefined) return { index: 0, position: 0 };
  const match = /^(\d{1,4})\.(\d{1,15})$/.exec(after);
  if (match === null || Number(match[1]) >= stores)
    throw new TypeError(`Cannot go on after "${after}": no page gave it`);
  return { index: Number(match[1]), position: Number(match[2]) };
}
