import type { Log } from "#runtime";
import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { newClient, type RedisClient } from "./client.ts";
import { RedisUnavailableError } from "./errors.ts";
import { isAnswer } from "./refusal.ts";

export interface RedisSessionOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  readonly log: Log;
  /** How the server lists the connection. */
  readonly name: string;
  /** Milliseconds until a command counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/**
 * One connection at a time, opened when it is needed and thrown away at the first failure.
 *
 * The client could reconnect by itself, but then commands that were queued before the break would be sent after it,
 * behind what their sender has tried again meanwhile: a stream would be out of order.
 */
export class RedisSession {
  readonly #options: RedisSessionOptions;
  readonly #deadlineMs: number;
  #client: Promise<RedisClient> | undefined;

  constructor(options: RedisSessionOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
  }

  /**
   * Runs commands on the connection.
   * @throws {RedisUnavailableError} the server is away, or did not answer within the deadline.
   * @throws the server's own words when it answered with an error; the connection is kept.
   */
  async use<T>(what: string, run: (client: RedisClient) => Promise<T>): Promise<T> {
    const opening = (this.#client ??= this.#open());
    const late = (): Error => new Error(`no answer within ${this.#deadlineMs} ms`);
    try {
      return await within(this.#deadlineMs, opening.then(run), late);
    } catch (error) {
      if (isAnswer(error)) throw error;
      this.#discard(opening);
      throw new RedisUnavailableError(`Cannot ${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  close(): void {
    if (this.#client !== undefined) this.#discard(this.#client);
  }

  async #open(): Promise<RedisClient> {
    const { url, tls, name, log } = this.#options;
    const client = newClient({ url, tls, name, log, connectTimeoutMs: this.#deadlineMs });
    await client.connect();
    return client;
  }

  #discard(client: Promise<RedisClient>): void {
    if (this.#client === client) this.#client = undefined;
    void client.then(
      (open) => open.destroy(),
      () => undefined,
    );
  }
}
