import { createClient } from "redis";

/**
 * Resolves when a Redis server answers `PING`. Opens a connection of its own and closes it again.
 * @throws when it cannot be reached within `timeoutMs` (default 2,000), or does not answer.
 */
export async function pingRedis(url: string, timeoutMs = 2_000): Promise<void> {
  const client = createClient({ url, socket: { connectTimeout: timeoutMs, reconnectStrategy: false } });
  // Without a listener the client's error event would end the process; the rejection says the same.
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.destroy();
  }
}
