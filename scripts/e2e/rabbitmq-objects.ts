import { AMQPClient } from "@cloudamqp/amqp-client";

/** Removes what an app process of a cluster made on a shared RabbitMQ: its exchange and its queue of orders. */
export async function removeRabbitMqObjects(url: string, cluster: string): Promise<void> {
  const connection = await new AMQPClient(url).connect();
  try {
    const channel = await connection.channel();
    await channel.queueDelete(`${cluster}.orders`);
    await channel.exchangeDelete(`${cluster}.events`);
  } finally {
    await connection.close();
  }
}
