import { connect, type ConnectionOptions, type NatsConnection } from "@nats-io/transport-node";
/**
 * The process's one connection to NATS.
 *
 * Owns: connecting, reconnecting for ever, telling its users the moment the connection is gone.
 * Does not own: streams, publishing, calls. Those run inside {@link NatsLink.use}.
 *
 * C1 `use` never waits for a connection: while there is none it rejects at once, so nothing piles up in the client's
 *    buffer and goes out, stale, after a reconnect.
 * C2 Work inside `use` ends no later than its deadline, and at once when the connection drops: an answer cannot come
 *    any more, and the client itself would wait for it until its time-out.
 */
import type { Log } from "#runtime";
import { type ClientTls, tlsConnect } from "../base/tls.ts";
import { parseNatsUrl } from "./url.ts";

/** Time between two attempts, in milliseconds; a tenth of it is added at random. */
const RECONNECT_MS = 250;
const PING_MS = 10_000;

/** NATS cannot be reached, or did not answer in time. Retry later: what was sent may or may not have arrived. */
export class NatsUnavailableError extends Error {
  override readonly name = "NatsUnavailableError";
  readonly code = "nats_unavailable";
  readonly retryable = true;
}

/** Options of {@link connectNats}. */
export interface NatsLinkOptions {
  /** `nats://127.0.0.1:4222`, or `tls://` where nothing may be said without TLS; several separated by commas; `user:password@` or `token@` before the host. */
  readonly url: string;
  readonly log: Log;
  /** Certificates for `tls://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  /** Shown in the server's connection list. @default "troupe" */
  readonly name?: string;
}

/**
 * Opens the connection in the background and returns at once. Never throws for a server that is not there.
 *
 * @example
 * ```ts
 * const connection = connectNats({ url: "nats://localhost:4222", log: silentLog });
 * await connection.ready(5_000);
 * await connection.close();
 * ```
 */
export function connectNats(options: NatsLinkOptions): NatsLink {
  return new NatsLink(options);
}

/**
 * A connection that comes back. Made by {@link connectNats}.
 *
 * @example
 * ```ts
 * const link: NatsLink = connectNats({ url: "nats://localhost:4222", log: silentLog });
 * console.log(link.address, link.connected);
 * ```
 */
export class NatsLink {
  /** The address without credentials. */
  readonly address: string;
  readonly #log: Log;
  readonly #options: ConnectionOptions;
  readonly #interrupts = new Set<(error: Error) => void>();
  readonly #waiters = new Set<() => void>();
  readonly #running: Promise<void>;
  #client: NatsConnection | undefined;
  #connected = false;
  #closed = false;

  constructor({ url, tls, log, name = "troupe" }: NatsLinkOptions) {
    const { servers, address, encrypted, ...credentials } = parseNatsUrl(url);
    this.address = address;
    this.#log = log;
    this.#options = {
      ...credentials,
      servers,
      ...(encrypted ? { tls: tlsConnect(tls) } : {}),
      name,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MS,
      reconnectJitter: RECONNECT_MS / 10,
      ignoreAuthErrorAbort: true,
      // An error with its stack, made for each request in case it fails, costs more than the request.
      noAsyncTraces: true,
      pingInterval: PING_MS,
      timeout: 5_000,
    };
    this.#running = this.#run();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** @throws {NatsUnavailableError} still not connected after `withinMs`, or closed. */
  async ready(withinMs: number): Promise<void> {
    if (this.#connected) return;
    await new Promise<void>((resolve, reject) => {
      const give = (): void =>
        settle(new NatsUnavailableError(`Cannot reach NATS at ${this.address} within ${withinMs} ms`));
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        this.#waiters.delete(done);
        if (error === undefined) resolve();
        else reject(error);
      };
      const done = (): void => (this.#connected ? settle() : give());
      const timer = setTimeout(give, withinMs);
      this.#waiters.add(done);
      if (this.#closed) give();
    });
  }

  /**
   * Runs `work` on the connection (NatsConnection.C1, NatsConnection.C2). `what` goes into the error: `publish 3 records`.
   * @throws {NatsUnavailableError} not connected, the connection dropped, or no end within `deadlineMs`.
   */
  use<T>(what: string, deadlineMs: number, work: (client: NatsConnection) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === undefined || !this.#connected) {
      return Promise.reject(new NatsUnavailableError(`Cannot ${what} as NATS at ${this.address} is not connected`));
    }
    return new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#interrupts.delete(interrupt);
      };
      const interrupt = (error: Error): void => {
        settle();
        reject(error);
      };
      const timer = setTimeout(
        () =>
          interrupt(
            new NatsUnavailableError(
              `Cannot ${what} as NATS at ${this.address} did not answer within ${deadlineMs} ms`,
            ),
          ),
        deadlineMs,
      );
      this.#interrupts.add(interrupt);
      (async () => work(client))().then((value) => {
        settle();
        resolve(value);
      }, interrupt);
    });
  }

  /** Ends work under way and the connection. May be called again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#drop("was closed");
    for (const wake of [...this.#waiters]) wake();
    await this.#client?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    let told = false;
    while (!this.#closed) {
      try {
        const client = await connect(this.#options);
        told = false;
        await this.#serve(client);
      } catch (error) {
        if (!told) this.#log("warn", "nats:unreachable", { address: this.address, reason: reasonOf(error) });
        told = true;
      }
      if (!this.#closed) await this.#pause(RECONNECT_MS);
    }
  }

  /** Follows one client until it is closed for good. */
  async #serve(client: NatsConnection): Promise<void> {
    this.#client = client;
    if (this.#closed) return client.close();
    const events = client.status();
    this.#rise("nats:connected");
    for await (const event of events) {
      if (event.type === "disconnect") {
        this.#log("warn", "nats:disconnected", { address: this.address });
        this.#drop("dropped the connection");
      } else if (event.type === "reconnect") {
        this.#rise("nats:reconnected");
      } else if (event.type === "error") {
        this.#log("warn", "nats:error", { address: this.address, reason: reasonOf(event.error) });
      }
    }
    this.#drop("closed the connection");
  }

  #rise(event: string): void {
    this.#connected = true;
    this.#log("info", event, { address: this.address });
    for (const wake of [...this.#waiters]) wake();
  }

  #drop(how: string): void {
    this.#connected = false;
    for (const interrupt of [...this.#interrupts])
      interrupt(new NatsUnavailableError(`NATS at ${this.address} ${how}`));
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiters.add(wake);
    });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
