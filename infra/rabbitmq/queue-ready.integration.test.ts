import { expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "../stack/for-tests.ts";
import { eventually } from "../testing/eventually.ts";
import { newClient } from "./client.ts";
import { QueueReadings } from "./queue-ready.ts";

setDefaultTimeout(60_000);

test("QueueReadings.ready() counts what waits in a queue, and goes on after asking for one that is not there", async () => {
  const url = await testServer("rabbitmq");
  const client = newClient(url);
  await client.connect();
  const channel = await client.channel();
  const queue = `ready-${crypto.randomUUID().slice(0, 8)}`;
  const readings = new QueueReadings(url);
  try {
    await channel.queueDeclare(queue, { durable: false, autoDelete: false });
    expect(await readings.ready(queue)).toBe(0);
    for (let n = 0; n < 3; n++) await channel.basicPublish("", queue, `${n}`);
    await eventually("all three wait", 30_000, async () => (await readings.ready(queue)) === 3);
    await expect(readings.ready(`${queue}-nowhere`)).rejects.toThrow();
    expect(await readings.ready(queue)).toBe(3);
  } finally {
    readings.close();
    await channel.queueDelete(queue);
    await client.close();
  }
});
