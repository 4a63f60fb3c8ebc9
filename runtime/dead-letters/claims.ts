/**
 * Claims on the keys of dead letters, in their store: over all nodes, one alone replays, edits or drops the dead letters of a key.
 *
 * K1 A claim runs out by itself, so that a node that died holds up nobody for long. It is renewed while its work goes on.
 * K2 What was read before the claim may be gone: whoever holds a key reads its dead letters anew.
 * K3 Work under a claim that could not be renewed in time begins nothing more.
 */
import type { Clock } from "../base/clock.ts";
import { TroupeError } from "../message/errors.ts";
import type { Store } from "../ports/store.ts";

/** What is held while some work runs. */
export interface Claim {
  readonly keys: ReadonlySet<string>;
  /** K3: whether it may go on. */
  holds(): boolean;
}

/** How long a claim lasts without being renewed. */
const CLAIM_MS = 30_000;
const RENEW_MS = 8_000;
/** Another one may already have it by the store's clock. */
const SAFETY_MS = 5_000;
const POLL_MS = 25;
/** How long somebody else may take with a key that is asked for alone. */
const PATIENCE_MS = 20_000;

export class LetterClaims {
  readonly #clock: Clock;
  readonly #node: () => string;
  #serial = 0;

  /** @param node a name that no other process has. */
  constructor(clock: Clock, node: () => string) {
    this.#clock = clock;
    this.#node = node;
  }

  /** Runs `work` with those of the keys that nobody else has, after waiting `patienceMs` at most for the others. */
  async holding<T>(
    store: Store,
    keys: readonly string[],
    patienceMs: number,
    work: (claim: Claim) => Promise<T>,
  ): Promise<T> {
    const owner = `${this.#node()}/${++this.#serial}`;
    const claimed = await this.#claim(store, keys, owner, patienceMs);
    let until = claimed.until;
    const endRenewing = this.#renewLater(store, claimed.keys, owner, (later) => (until = later));
    try {
      return await work({ keys: claimed.keys, holds: () => this.#clock.monotonic() < until });
    } finally {
      endRenewing();
      // A claim that is left runs out.
      if (claimed.keys.size > 0) await store.releaseDeadLetterKeys([...claimed.keys], owner).catch(() => undefined);
    }
  }

  /**
   * Runs `work` while nobody else has the key.
   * @throws {TroupeError} `unavailable`: somebody else has had it for too long.
   */
  alone<T>(store: Store, key: string, work: (claim: Claim) => Promise<T>): Promise<T> {
    return this.holding(store, [key], PATIENCE_MS, (claim) => {
      if (claim.keys.has(key)) return work(claim);
      throw new TroupeError("unavailable", "Cannot use the dead letters of this key as they are being replayed");
    });
  }

  async #claim(
    store: Store,
    keys: readonly string[],
    owner: string,
    patienceMs: number,
  ): Promise<{ readonly keys: ReadonlySet<string>; readonly until: number }> {
    const begun = this.#clock.monotonic();
    const held = new Set<string>();
    let until = begun + CLAIM_MS - SAFETY_MS;
    for (let missing = [...keys]; missing.length > 0;) {
      for (const key of await store.claimDeadLetterKeys(missing, owner, CLAIM_MS)) held.add(key);
      missing = keys.filter((key) => !held.has(key));
      const now = this.#clock.monotonic();
      if (missing.length === 0 || now - begun >= patienceMs) break;
      await this.#pause(POLL_MS);
    }
    // The first of them was claimed when this began.
    if (this.#clock.monotonic() >= until - RENEW_MS) until = await this.#renew(store, held, owner);
    return { keys: held, until };
  }

  /** @returns until when all of them are held; a time gone by if they are not. */
  async #renew(store: Store, keys: ReadonlySet<string>, owner: string): Promise<number> {
    const begun = this.#clock.monotonic();
    const renewed = await store.claimDeadLetterKeys([...keys], owner, CLAIM_MS);
    return renewed.length === keys.size ? begun + CLAIM_MS - SAFETY_MS : 0;
  }

  /** K1. @returns ends it. */
  #renewLater(store: Store, keys: ReadonlySet<string>, owner: string, renewed: (until: number) => void): () => void {
    if (keys.size === 0) return () => undefined;
    let ended = false;
    let cancel = (): void => undefined;
    const again = (): void => {
      cancel = this.#clock.after(RENEW_MS, () => {
        this.#renew(store, keys, owner).then(
          (until) => {
            if (ended) return;
            renewed(until);
            again();
          },
          // The store is away: until it is back the claim goes on as long as it was made for.
          () => ended || again(),
        );
      });
    };
    again();
    return () => {
      ended = true;
      cancel();
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(ms, resolve, true));
  }
}
