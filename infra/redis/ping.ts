import { silentLog } from "#runtime";
import type { ClientTls } from "../base/tls.ts";
import { newClient } from "./client.ts";

/**
 * Resolves when a Redis server answers `PING`. Opens a connection of its own and closes it again.
 * @param tls certificates for `rediss://`, beside what the system trusts.
 * @throws when it cannot be reached within `timeoutMs` (default 2,000), or does not answer.
 */
export async function pingRedis(url: string, timeoutMs = 2_000, tls?: ClientTls): Promise<void> {
  const client = newClient({ url, tls, log: silentLog, connectTimeoutMs: timeoutMs });
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.destroy();
  }
}
