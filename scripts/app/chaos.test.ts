import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markOf, ownMark } from "#infra/stack/process-mark.ts";
import { removeRecord, writeRecord } from "#infra/stack/state-file.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Sink } from "#runtime";
import { AppChaos } from "./chaos.ts";

const WITHIN_MS = 10_000;

/** The state of a process, as the kernel says it: `T` while it stands still. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
}

test("AppChaos stops a server of the stack where it stands, ends that by itself and when it is told to, and touches no other", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-chaos-"));
  const server = Bun.spawn(["sleep", "60"]);
  const mark = markOf(server.pid);
  if (mark === undefined) throw new Error("sleep is not there");
  const native = { how: "native", address: "", env: {}, processes: [mark] } as const;
  const stack = { version: 1, owner: ownMark(), command: "test", startedAt: "", apps: [] } as const;
  const elsewhere = { how: "address", address: "", env: {}, processes: [] } as const;
  const servers = [
    { name: "redis", ...native },
    { name: "postgres", ...native },
    { name: "kafka", ...elsewhere },
  ] as const;
  writeRecord(folder, { ...stack, servers });
  using chaos = new AppChaos({ dataFolder: folder, engines: [] });
  try {
    expect(await chaos.targets()).toEqual([{ kind: "still", target: "redis", label: "redis" }]);
    const wanted = { kind: "still", target: "redis", forMs: 300, delayMs: 0 } as const;
    expect(await chaos.begin({ ...wanted, target: "postgres" })).toBeUndefined();
    const fault = await chaos.begin(wanted);
    expect(chaos.faults()).toEqual(fault === undefined ? [] : [fault]);
    await eventually("it stands still", WITHIN_MS, async () => stateOf(server.pid) === "T" || undefined);
    await eventually("it goes on by itself", WITHIN_MS, async () => stateOf(server.pid) !== "T" || undefined);
    expect(chaos.faults()).toEqual([]);

    const again = await chaos.begin({ ...wanted, forMs: 60_000 });
    await eventually("it stands still", WITHIN_MS, async () => stateOf(server.pid) === "T" || undefined);
    expect([chaos.end(again?.id ?? ""), chaos.end(again?.id ?? "")]).toEqual([true, false]);
    await eventually("it goes on", WITHIN_MS, async () => stateOf(server.pid) !== "T" || undefined);
    removeRecord(folder);
    expect(await chaos.targets()).toEqual([]);
  } finally {
    server.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
});

test("AppChaos makes the way to one sink slow for as long as that lasts, and no other", async () => {
  const published: string[] = [];
  const sink = (name: string): Sink => ({
    ...{ name, accepts: "event", lane: { kind: "batch", maxBatch: 1 } },
    publish: async () => (published.push(name), []),
    check: async () => undefined,
    close: async () => undefined,
  });
  using chaos = new AppChaos({ dataFolder: "/nonexistent", engines: [] });
  const [slow, quick] = [chaos.sink(sink("kafka")), chaos.sink(sink("nats"))];
  const fault = await chaos.begin({ kind: "slow", target: "kafka", forMs: 60_000, delayMs: 100 });
  await Promise.all([slow.publish([], 1), quick.publish([], 1)]);
  expect(published).toEqual(["nats", "kafka"]);
  chaos.end(fault?.id ?? "");
  await Promise.all([slow.publish([], 1), quick.publish([], 1)]);
  expect(published).toEqual(["nats", "kafka", "kafka", "nats"]);
});

test("AppChaos kills a container that is there, and none that is not", async () => {
  const stopped: string[] = [];
  const record = { id: "c1", state: "running", service: "web", replica: 2 };
  using chaos = new AppChaos({
    dataFolder: "/nonexistent",
    engines: [
      { list: async () => [record] as never, stop: async (id) => (stopped.push(id), "stopped") },
      { list: () => Promise.reject(new Error("the engine is away")), stop: () => Promise.reject(new Error("away")) },
    ],
  });
  expect(await chaos.targets()).toEqual([{ kind: "kill", target: "c1", label: "web, replica 2" }]);
  const kill = { kind: "kill", forMs: 1, delayMs: 0 } as const;
  expect(await chaos.begin({ ...kill, target: "c2" })).toBeUndefined();
  expect(await chaos.begin({ ...kill, target: "c1" })).toMatchObject({ label: "web, replica 2" });
  expect([stopped, chaos.faults()]).toEqual([["c1"], []]);
});
