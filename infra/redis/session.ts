import { createClient } from "redis";
import { within } from "#infra/deadline.ts";
import type { Log } from "#runtime";
import { RedisUnavailableError } from "./errors.ts";

/** A client as this project makes it: RESP3 is not needed, modules are not used. */
export type RedisClient = ReturnType<typeof createClient>;

export interface RedisSessionOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
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
    const { url, name, log } = this.#options;
    const client = createClient({
      url,
      name,
      disableOfflineQueue: true,
      socket: { connectTimeout: this.#deadlineMs, reconnectStrategy: false },
    });
    client.on("error", (error: Error) => log("debug", "redis:connection:failed", { reason: error.message }));
    await client.connect();
    return client as RedisClient;
  }

  #discard(client: Promise<RedisClient>): void {
    if (this.#client === client) this.#client = undefined;
    void client.then(
      (open) => open.destroy(),
      () => undefined,
    );
  }
}

/** The server answered, and said no: `OOM`, `WRONGTYPE`, `EXECABORT`. Such errors begin with a word in capitals. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && /^[A-Z]{3,}\b/.test(error.message) && !("code" in error);
}
