import { expect, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "#runtime";
import { testServer } from "../stack/for-tests.ts";
import { newClient } from "./client.ts";
import { GroupReadings } from "./group-pending.ts";

setDefaultTimeout(60_000);

test("GroupReadings.pending() counts what a group was given and what is to come, less what it has acknowledged", async () => {
  const url = await testServer("redis");
  const client = newClient({ url, log: silentLog, connectTimeoutMs: 5_000 });
  await client.connect();
  const stream = `pending-${crypto.randomUUID().slice(0, 8)}`;
  const readings = new GroupReadings(url);
  try {
    await client.xGroupCreate(stream, "g", "0", { MKSTREAM: true });
    for (let n = 0; n < 5; n++) await client.xAdd(stream, "*", { n: String(n) });
    expect(await readings.pending(stream, "g")).toBe(5);
    const read = await client.xReadGroup("g", "c", { key: stream, id: ">" }, { COUNT: 3 });
    expect(await readings.pending(stream, "g")).toBe(5);
    const [first] = (read as { messages: { id: string }[] }[])[0]!.messages;
    await client.xAck(stream, "g", first!.id);
    expect(await readings.pending(stream, "g")).toBe(4);
    await expect(readings.pending(stream, "nobody")).rejects.toThrow("has no group");
  } finally {
    readings.close();
    await client.del(stream);
    client.destroy();
  }
});
