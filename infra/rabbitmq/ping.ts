import { Client } from "./client.ts";

/**
 * Resolves when a RabbitMQ server takes a connection: the whole AMQP handshake, credentials and virtual host included.
 * @throws when it cannot be reached, or refuses.
 */
export async function pingRabbitMq(url: string): Promise<void> {
  const connection = await new Client(url).connect();
  await connection.close();
}
