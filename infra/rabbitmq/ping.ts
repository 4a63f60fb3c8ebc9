import type { ClientTls } from "../tls.ts";
import { newClient } from "./client.ts";

/**
 * Resolves when a RabbitMQ server takes a connection: the whole AMQP handshake, credentials and virtual host included. Leaves
 * no connection behind, whatever becomes of it.
 * @param tls certificates for `amqps://`, beside what the system trusts.
 * @throws when it cannot be reached, refuses, or has not answered within `timeoutMs` (default 2,000).
 */
export async function pingRabbitMq(url: string, timeoutMs = 2_000, tls?: ClientTls): Promise<void> {
  const client = newClient(url, tls);
  let timer: ReturnType<typeof setTimeout> | undefined;
  // The client waits for a handshake for as long as the socket is open, and for ever when it was closed meanwhile.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`RabbitMQ did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  const answered = client.connect().then(() => client.close());
  answered.catch(() => undefined);
  try {
    await Promise.race([answered, late]);
  } finally {
    clearTimeout(timer);
    client.socket?.destroy();
  }
}
