/**
 * One of several nodes of a store, in a process of its own: `bun growth-node.ts DATABASE_URL NATS_URL PREFIX NODES CALLERS`. Says
 * `ready` when it holds its share of the partitions, waits for a line, calls actors of its own, and says what it reached.
 */
import { connectNats } from "#infra/nats/connection.ts";
import { natsTransport } from "#infra/nats/transport.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, silentLog } from "#runtime";
import { Account } from "./account.ts";
import { load } from "./measure.ts";

const ACTORS = 1_000;
const WITHIN_MS = 30_000;

const [database = "", nats = "", subjectPrefix = "", nodes = "1", callers = "1"] = process.argv.slice(2);
const connection = connectNats({ url: nats, log: silentLog });
await connection.ready(10_000);
const store = postgresStore(database);
const troupe = await createTroupe({
  actors: [Account],
  stores: { default: store },
  transport: natsTransport({ connection, log: silentLog, subjectPrefix }),
});
const share = Math.floor(64 / Number(nodes));
await eventually("this node has its share", WITHIN_MS, async () => {
  const owned = troupe.status().stores[0]?.ownedPartitions ?? 0;
  return owned >= share && owned <= share + 1;
});
const { stores } = await troupe.cluster();
const held = stores[0]?.partitions.filter(({ node }) => node === troupe.nodeId) ?? [];
const mine = new Set(held.map(({ partition }) => partition));
const keys: string[] = [];
for (let i = 0; keys.length < ACTORS / Number(nodes); i++)
  if (mine.has(troupe.partitionOf(Account.type, `k${i}`))) keys.push(`k${i}`);

console.log("ready");
for await (const _ of console) break;
const measured = await load(Number(callers), () =>
  troupe.ref(Account, keys[Math.floor(Math.random() * keys.length)] ?? "").increment({ by: 1 }),
);
console.log(JSON.stringify(measured));
await troupe.stop();
process.exit(0);
