import { createClient } from "redis";
import type { Log } from "#runtime";
import { type ClientTls, tlsConnect } from "../base/tls.ts";

/** A client as this project makes it: RESP3 is not needed, modules are not used. */
export type RedisClient = ReturnType<typeof createClient>;

/** What a client is made with. */
export interface RedisClientOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  /** How the server lists the connection. */
  readonly name?: string;
  /** Milliseconds that connecting may take. */
  readonly connectTimeoutMs: number;
  readonly log: Log;
}

/** A client that is not connected yet, and never connects again by itself. */
export function newClient({ url, tls, name, connectTimeoutMs, log }: RedisClientOptions): RedisClient {
  const plain = { connectTimeout: connectTimeoutMs, reconnectStrategy: false } as const;
  const client = createClient({
    url,
    ...(name === undefined ? {} : { name }),
    disableOfflineQueue: true,
    socket: url.startsWith("rediss:") ? { ...plain, tls: true, ...tlsConnect(tls) } : plain,
  }) as RedisClient;
  // Without a listener the client's error event would end the process; the rejection says the same.
  client.on("error", (error: Error) => log("debug", "redis:connection:failed", { reason: error.message }));
  return client;
}
