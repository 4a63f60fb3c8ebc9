import { within } from "#infra/deadline.ts";
import { Client } from "./client.ts";

/**
 * Resolves when a RabbitMQ server takes a connection: the whole AMQP handshake, credentials and virtual host included. Leaves
 * no connection behind, whatever becomes of it.
 * @throws when it cannot be reached, refuses, or has not answered within `timeoutMs` (default 2,000).
 */
export async function pingRabbitMq(url: string, timeoutMs = 2_000): Promise<void> {
  const client = new Client(url, undefined, null);
  // The client waits for a handshake for as long as the socket is open, and for ever when it was closed meanwhile.
  const late = (): Error => new Error(`RabbitMQ did not answer within ${timeoutMs} ms`);
  const answered = client.connect().then(() => client.close());
  try {
    await within(timeoutMs, answered, late);
  } finally {
    client.socket?.destroy();
  }
}
