import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { newClient } from "./client.ts";

/**
 * Resolves when a RabbitMQ server takes a connection: the whole AMQP handshake, credentials and virtual host included. Leaves
 * no connection behind, whatever becomes of it.
 * @param tls certificates for `amqps://`, beside what the system trusts.
 * @throws when it cannot be reached, refuses, or has not answered within `timeoutMs` (default 2,000).
 */
export async function pingRabbitMq(url: string, timeoutMs = 2_000, tls?: ClientTls): Promise<void> {
  const client = newClient(url, tls);
  // The client waits for a handshake for as long as the socket is open, and for ever when it was closed meanwhile.
  const late = (): Error => new Error(`RabbitMQ did not answer within ${timeoutMs} ms`);
  const answered = client.connect().then(() => client.close());
  try {
    await within(timeoutMs, answered, late);
  } finally {
    client.socket?.destroy();
  }
}
