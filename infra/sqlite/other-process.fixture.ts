/**
 * `other-process.fixture.ts FILE`: a process that has a store open and does what its standard input says, a line each:
 * `take LEASE_MS` the free partitions, `commit PARTITION SEQ` one event. Answers each with a line.
 */
import { createInterface } from "node:readline";
import { FencedError, type Grant } from "#runtime";
import { sqlite } from "./store.ts";

const store = sqlite(process.argv[2] ?? "");
await store.open();
const grants = new Map<number, Grant>();
console.log("open");

async function act(command: string, ...[first = 0, second = 0]: readonly number[]): Promise<string> {
  if (command === "take") {
    await store.heartbeat("other", first);
    for (const grant of await store.acquire("other")) grants.set(grant.partition, grant);
    return `holds ${grants.size}`;
  }
  const name = "t.happened.v1";
  const event = { kind: "event" as const, id: `evt_${second}`, name, actor: { type: "t", key: "k" }, target: "k" };
  const fences = [{ partition: first, epoch: grants.get(first)?.epoch ?? 0, lastSeq: second }];
  const outbox = [{ ...event, partition: first, seq: second, body: "{}", at: 1, traceparent: undefined }];
  try {
    await store.commit("other", { fences, outbox, states: [], replies: [], timers: [], index: [] });
    return "written";
  } catch (error) {
    return error instanceof FencedError ? "fenced" : String(error);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command = "", ...numbers] = line.split(" ");
  console.log(await act(command, ...numbers.map(Number)));
}
