/**
 * The keys as this process knows them: a copy of the keyring, never old.
 *
 * Owns: the copy, and when it is read anew. Does not own: the keys (`keyring/main`), who may do what (`Guard`).
 * Calls in: `find`, `goodNow`, `changed`. Calls out: `read`.
 *
 * K1 A copy older than `maxAgeMs` is not trusted while a newer one can be had: a key that was revoked anywhere is refused
 *    here within that time, and at once where the topic `keys` says so.
 * K2 While the keyring cannot be reached, the last copy serves for `staleMs`; after that nobody is let in.
 * K3 An unknown key may be one that was just made: the keyring is asked anew, at most 20 times a second, however many
 *    unknown keys come.
 */
import { timingSafeEqual } from "node:crypto";
import type { KeyTable } from "#actors/access/keyring/messages.ts";
import { hashOf, isSecret, prefixOf } from "#actors/access/keyring/secret.ts";
import type { Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";

/** What a directory needs. */
export interface KeyDirectoryOptions {
  /** The keyring's `table`. */
  readonly read: (since: number | undefined) => Promise<KeyTable>;
  /** A key that is good for everything as long as this process runs, beside those of the keyring. */
  readonly adminKey?: string | undefined;
  /** @default 1_000 */
  readonly maxAgeMs?: number;
  /** @default 30_000 */
  readonly staleMs?: number;
  /** Milliseconds that never go back. @default performance.now */
  readonly monotonic?: () => number;
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number;
}

interface Known {
  readonly principal: Principal;
  readonly hash: Buffer;
  /** When it ends, in milliseconds since the epoch. */
  readonly until: number;
}

/** After a read that failed, and before one that is not needed yet. */
const BETWEEN_READS_MS = 500;
/** Between reads for the sake of keys that are unknown. */
const BETWEEN_GUESSES_MS = 50;

/** The key of the environment: it lasts as long as the process. */
const ENVIRONMENT = "key_environment";

export class KeyDirectory {
  readonly #options: Required<Omit<KeyDirectoryOptions, "adminKey">>;
  readonly #own: Known | undefined;
  #byPrefix = new Map<string, Known[]>();
  #changes: number | undefined;
  /** When what the copy holds was asked for. */
  #readAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** How often the keys were said to have changed, and how often they had been when the copy was asked for. */
  #said = 0;
  #saidAtRead = -1;
  #reading: Promise<void> | undefined;

  constructor(options: KeyDirectoryOptions) {
    const { adminKey } = options;
    this.#options = {
      read: options.read,
      maxAgeMs: options.maxAgeMs ?? 1_000,
      staleMs: options.staleMs ?? 30_000,
      monotonic: options.monotonic ?? (() => performance.now()),
      now: options.now ?? Date.now,
    };
    if (adminKey !== undefined) {
      const principal: Principal = { keyId: ENVIRONMENT, scopes: ["admin"] };
      this.#own = { principal, hash: hashOf(adminKey), until: Number.POSITIVE_INFINITY };
    }
  }

  /**
   * Whose key it is; `undefined` for one that is unknown, revoked or expired.
   * @throws {Problem} 503 when the keys have not been readable for `staleMs`.
   */
  async find(secret: string): Promise<Principal | undefined> {
    const hash = hashOf(secret);
    if (this.#own !== undefined && timingSafeEqual(hash, this.#own.hash)) return this.#own.principal;
    if (!isSecret(secret)) return undefined;
    await this.#refresh();
    let known = this.#known(secret, hash);
    if (known === undefined && this.#options.monotonic() - this.#triedAt >= BETWEEN_GUESSES_MS) {
      await this.#readOnce(); // KeyDirectory.K3
      known = this.#known(secret, hash);
    }
    return known !== undefined && known.until > this.#options.now() ? known.principal : undefined;
  }

  /**
   * Tells of those who were let in before whether they still would be: their key was not revoked, nor has it or its secret
   * ended. The answer holds for now; ask again for later.
   * @throws {Problem} 503 as {@link find}.
   */
  async goodNow(): Promise<(who: Principal) => boolean> {
    await this.#refresh();
    await this.#reading;
    const now = this.#options.now();
    return ({ keyId, prefix }) => {
      if (keyId === ENVIRONMENT) return true;
      const known = prefix === undefined ? [...this.#byPrefix.values()].flat() : (this.#byPrefix.get(prefix) ?? []);
      return known.some(({ principal, until }) => principal.keyId === keyId && until > now);
    };
  }

  /** The keys are others now. */
  changed(): void {
    this.#said++;
    this.#triedAt = Number.NEGATIVE_INFINITY;
  }

  #known(secret: string, hash: Buffer): Known | undefined {
    return this.#byPrefix.get(prefixOf(secret))?.find((known) => timingSafeEqual(hash, known.hash));
  }

  get #age(): number {
    return this.#options.monotonic() - this.#readAt;
  }

  get #outdated(): boolean {
    return this.#saidAtRead !== this.#said;
  }

  get #isDue(): boolean {
    const { monotonic } = this.#options;
    return (this.#outdated || this.#age > BETWEEN_READS_MS) && monotonic() - this.#triedAt >= BETWEEN_READS_MS;
  }

  async #refresh(): Promise<void> {
    const { maxAgeMs, staleMs } = this.#options;
    // More than one round where the keys changed while they were read.
    while (this.#reading !== undefined || this.#isDue) {
      const reading = this.#readOnce();
      if (!this.#outdated && this.#age <= maxAgeMs) return; // good enough while the next one is on its way
      await reading; // KeyDirectory.K1
    }
    if (this.#age > staleMs)
      throw new Problem(503, "keys.unavailable", "Keys cannot be checked now", { retryAfter: 1 }); // KeyDirectory.K2
  }

  /** Joins the read under way. */
  #readOnce(): Promise<void> {
    // Cleared from outside: a `read` that throws at once, as before the node has started, is over before it is kept here.
    return (this.#reading ??= this.#read().finally(() => (this.#reading = undefined)));
  }

  async #read(): Promise<void> {
    const { read, monotonic } = this.#options;
    const asked = (this.#triedAt = monotonic());
    const said = this.#said;
    try {
      const { changes, keys } = await read(this.#changes);
      if (keys !== null) this.#take(keys);
      this.#changes = changes;
      this.#readAt = asked;
      this.#saidAtRead = said;
    } catch {
      // What there is serves on (KeyDirectory.K2).
    }
  }

  #take(keys: NonNullable<KeyTable["keys"]>): void {
    const byPrefix = new Map<string, Known[]>();
    for (const { id, scopes, expiresAt, secrets } of keys) {
      for (const { hash, prefix, until } of secrets) {
        const principal: Principal = { keyId: id, prefix, scopes };
        const ends = Math.min(until ?? Number.POSITIVE_INFINITY, expiresAt ?? Number.POSITIVE_INFINITY);
        const known = { principal, hash: Buffer.from(hash, "hex"), until: ends };
        byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), known]);
      }
    }
    this.#byPrefix = byPrefix;
  }
}
