import type { DeadLetterFilter, Store, StoredDeadLetter } from "../ports/store.ts";
/**
 * One step of replaying many dead letters of a store: a page of them, many keys at once.
 *
 * Owns: which dead letters of the page go, and when each is removed. Does not own: the pace and what is left for later steps
 * (whoever asks for the next one), where a dead letter goes (`replayLetter`).
 *
 * L1 The dead letters of a key go one after the other, in the order they were recorded. One that fails holds up those behind
 *    it, also in later steps of the same run: there it is found again as an older dead letter that is still there.
 * L2 A dead letter is removed after it took effect, never before: a crash between repeats it, and its id makes that harmless.
 *    Many are removed in one statement, while others are on their way.
 * L3 A dead letter that was not tried is one the next step begins with.
 * L4 A step has claimed the keys of its dead letters, over all nodes, and has read these anew since. Those of a key that somebody
 *    else has are not tried.
 */
import type { Claim } from "./claims.ts";

/** What a step needs from its node. */
export interface ReplayHost {
  /** Milliseconds of a clock that never goes back. */
  monotonic(): number;
  /** Why the dead letter failed, or `undefined` when it took effect. Never rejects. */
  deliver(letter: StoredDeadLetter): Promise<ReplayFailure | undefined>;
  /** Claims those of the keys that nobody else has, while the work runs. */
  holding<T>(store: Store, keys: readonly string[], patienceMs: number, work: (claim: Claim) => Promise<T>): Promise<T>;
}

/** A dead letter that did not take effect. */
export interface ReplayFailure {
  readonly detail: string;
  /** The fault is this node's or the store's, and says nothing of the dead letter. */
  readonly passing: boolean;
}

/** Which part of a store's dead letters a step is about. */
export interface ReplayWindow {
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
  /** No dead letter is begun later than this after the start of the step. */
  readonly withinMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Whether a dead letter that failed for a passing reason counts as not tried; otherwise as failed. */
  readonly patient: boolean;
}

/** What a step did in one store. */
export interface StoreStep {
  readonly replayed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
  /** Dead letters that were left alone, as an older one of their key failed. */
  readonly heldUp: number;
  /** A passing reason for which dead letters were not tried. */
  readonly interrupted: string | undefined;
  /** Where the next step begins; `undefined` when nothing is left here. */
  readonly after: number | undefined;
}

/** Keys that are replayed side by side. */
const MAX_LANES = 256;
/** How long a step waits for keys that somebody else has. */
const PATIENCE_MS = 500;
const TAKEN = "Somebody else replays, edits or drops letters of the same keys";

/** Replays the next dead letters that fit. */
export async function replayStep(
  host: ReplayHost,
  store: Store,
  filter: DeadLetterFilter,
  window: ReplayWindow,
): Promise<StoreStep> {
  const { after, upTo, limit } = window;
  const found = await store.deadLetters(filter, { limit, after, upTo });
  const end = found.at(-1)?.position;
  if (end === undefined) return { replayed: [], failed: [], heldUp: 0, interrupted: undefined, after: undefined };
  const keys = [...new Set(found.map(({ key }) => key))];
  return host.holding(store, keys, PATIENCE_MS, async (claim) => {
    const rows = claim.keys.size === 0 ? [] : await store.deadLetters(filter, { limit, after, upTo: end }); // ReplayStep.L4
    const others = found.find(({ key }) => !claim.keys.has(key));
    const step = await replayRows(
      host,
      store,
      filter,
      rows.filter(({ key }) => claim.keys.has(key)),
      claim,
      window,
    );
    const untried = Math.min(step.firstUntried, others?.position ?? Infinity);
    const next = untried === Infinity ? (found.length < limit ? undefined : end) : untried - 1;
    const interrupted = step.interrupted ?? (others === undefined ? undefined : TAKEN);
    const { replayed, failed, heldUp } = step;
    return { replayed, failed, heldUp, interrupted, after: next };
  });
}

async function replayRows(
  host: ReplayHost,
  store: Store,
  filter: DeadLetterFilter,
  rows: readonly StoredDeadLetter[],
  claim: Claim,
  { after, withinMs, signal, patient }: ReplayWindow,
): Promise<Omit<StoreStep, "after"> & { readonly firstUntried: number }> {
  const begun = host.monotonic();
  const late = (): boolean => signal?.aborted === true || host.monotonic() - begun >= withinMs || !claim.holds();
  const lanes = byKey(rows);
  const stuck = new Set(after === 0 ? [] : await store.keysWithDeadLetters(filter, [...lanes.keys()], after)); // ReplayStep.L1
  const removals = new Removals(store);
  const replayed: string[] = [];
  const failed: { id: string; detail: string }[] = [];
  let heldUp = 0;
  let interrupted: string | undefined;
  let firstUntried = Infinity;

  const runLane = async (letters: readonly StoredDeadLetter[]): Promise<void> => {
    const removed: Promise<void>[] = [];
    for (const [i, letter] of letters.entries()) {
      if (late()) {
        firstUntried = Math.min(firstUntried, letter.position); // ReplayStep.L3
        break;
      }
      const failure = await host.deliver(letter);
      if (failure?.passing === true && patient) {
        interrupted = failure.detail;
        firstUntried = Math.min(firstUntried, letter.position);
        break;
      }
      if (failure !== undefined) {
        failed.push({ id: letter.id, detail: failure.detail });
        heldUp += letters.length - i - 1;
        break;
      }
      replayed.push(letter.id);
      removed.push(removals.remove(letter.id)); // ReplayStep.L2
    }
    await Promise.all(removed);
  };

  const waiting: (readonly StoredDeadLetter[])[] = [];
  for (const [key, letters] of lanes) {
    if (stuck.has(key)) heldUp += letters.length;
    else waiting.push(letters);
  }
  const work = waiting.values();
  const worker = async (): Promise<void> => {
    for (const letters of work) await runLane(letters);
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(MAX_LANES, waiting.length) }, worker));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return { replayed, failed, heldUp, interrupted, firstUntried };
}

function byKey(letters: readonly StoredDeadLetter[]): ReadonlyMap<string, readonly StoredDeadLetter[]> {
  const lanes = new Map<string, StoredDeadLetter[]>();
  for (const letter of letters) {
    const lane = lanes.get(letter.key);
    if (lane === undefined) lanes.set(letter.key, [letter]);
    else lane.push(letter);
  }
  return lanes;
}

/** Removes dead letters, as many at once as have gathered while the last removal was under way. */
class Removals {
  readonly #store: Store;
  #gathered: string[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(store: Store) {
    this.#store = store;
  }

  remove(id: string): Promise<void> {
    this.#gathered.push(id);
    return (this.#next ??= this.#afterRunning());
  }

  async #afterRunning(): Promise<void> {
    await this.#running.catch(() => undefined);
    const ids = this.#gathered;
    this.#gathered = [];
    this.#next = undefined;
    const removing = this.#store.removeDeadLetters(ids).then(() => undefined);
    this.#running = removing;
    await removing;
  }
}
