import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { OwnContainers } from "#actors/orchestrator/http/requests.ts";
import type { ServiceLine } from "#actors/orchestrator/http/seeing.ts";
import { connectNats, type NatsLink } from "#infra/nats/connection.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { silentLog } from "#runtime";
import { containersElsewhere, serveContainers } from "./other-hosts.ts";

setDefaultTimeout(60_000);

const prefix = `t${crypto.randomUUID().slice(0, 8)}.`;
const over = new AbortController();
const lines: ServiceLine[] = [];
let nats: NatsLink;
let elsewhere: OwnContainers;
const serving: Promise<void>[] = [];

const line = (n: number, text: string, at = new Date(1_700_000_000_000 + n).toISOString()): ServiceLine => ({
  at,
  containerId: "c1",
  replica: 0,
  revision: "r",
  stream: "stdout",
  level: "info",
  text,
});
/** What a host has, in memory. */
const containers: OwnContainers = {
  async *logs(_service, { since }) {
    for (const one of [...lines]) if (since === undefined || one.at >= since) yield one;
  },
  stats: async () => [
    {
      containerId: "c1",
      replica: 0,
      cpuPercent: 1,
      memoryBytes: 2,
      memoryLimitBytes: 3,
      pids: 4,
      receivedBytes: 5,
      sentBytes: 6,
    },
  ],
};

beforeAll(async () => {
  nats = connectNats({ url: await testServer("nats"), log: silentLog });
  await nats.ready(10_000);
  serving.push(serveContainers({ nats, prefix, host: "b.example", containers, log: silentLog }, over.signal));
  // A second process that drives the same engine: one of them answers.
  serving.push(serveContainers({ nats, prefix, host: "b.example", containers, log: silentLog }, over.signal));
  elsewhere = containersElsewhere({ nats, prefix, hosts: async () => ["b.example", "gone"] });
}, 120_000);
afterAll(async () => {
  over.abort();
  await Promise.all(serving);
  await nats?.close();
});

test("stats of another process's host are had once, and a host that nobody drives is left out", async () => {
  const stats = await eventually("it is served", 20_000, async () => {
    const all = await elsewhere.stats("web");
    return all.length > 0 && all;
  });
  expect(stats).toEqual([...(await containers.stats("web"))]);
});

test("a log that fits into no single answer comes whole, each line once and in order", async () => {
  lines.push(...Array.from({ length: 300 }, (_, n) => line(n, `${n} ${"x".repeat(5_000)}`)));
  const got: string[] = [];
  const { signal } = new AbortController();
  for await (const one of elsewhere.logs("web", { follow: false, signal })) got.push(one.text.split(" ")[0] ?? "");
  expect(got).toEqual(lines.map((_, n) => String(n)));
});

test("a log that is followed brings what is written meanwhile, lines of one moment and a late one too", async () => {
  const stop = new AbortController();
  const got: string[] = [];
  const since = line(10_000, "").at;
  const following = (async () => {
    for await (const { text } of elsewhere.logs("web", { follow: true, since, signal: stop.signal })) got.push(text);
  })();
  lines.push(line(10_000, "first"));
  await eventually("the first came", 20_000, async () => got.length === 1);
  lines.push(line(10_500, "second"), line(10_500, "of the same moment"), line(10_200, "late"));
  await eventually("all came", 20_000, async () => got.length === 4);
  stop.abort();
  await following;
  expect(got).toEqual(["first", "second", "of the same moment", "late"]);
});
