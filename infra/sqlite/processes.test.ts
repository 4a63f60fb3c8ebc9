import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { CommitBatch, Fence, Store } from "#runtime";
import { eventually } from "../testing/eventually.ts";
import { sqlite } from "./store.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

// Processes start slowly on a loaded machine.
setDefaultTimeout(30_000);

/** Another process on the file; `ask` sends it a line and gives its answer. */
async function otherProcess(
  path: string,
): Promise<AsyncDisposable & { ask(line: string): Promise<string>; kill(): Promise<void> }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, "other-process.fixture.ts"), path], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const answers = lines(child.stdout);
  const next = async (): Promise<string> => (await answers.next()).value ?? "gone";
  expect(await next()).toBe("open");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await child.exited;
  };
  return {
    ask: async (line) => {
      await child.stdin.write(`${line}\n`);
      await child.stdin.flush();
      return next();
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  return undefined;
}

async function takeAll(store: Store): Promise<ReadonlyMap<number, Fence>> {
  await store.heartbeat("here", 60_000);
  const held = new Map<number, Fence>();
  await eventually("the lease of the other process has run out", 10_000, async () => {
    for (const grant of await store.acquire("here")) held.set(grant.partition, grant);
    return held.size === 64;
  });
  return held;
}

function stateBatch(fence: Fence, i: number): CommitBatch {
  const states = [{ type: "t", key: `k${i}`, partition: fence.partition, version: 1, state: "{}" }];
  return { fences: [{ ...fence, lastSeq: 0 }], states, replies: [], outbox: [], timers: [], index: [] };
}

test("a process whose partitions were taken over cannot write, however late it wakes up", async () => {
  await using file = await temporaryFile();
  await using other = await otherProcess(file.path);
  expect(await other.ask("take 50")).toBe("holds 64");
  expect(await other.ask("commit 1 1")).toBe("written");
  const store = sqlite(file.path);
  await store.open();
  const held = await takeAll(store);
  expect(await other.ask("commit 1 2")).toBe("fenced");
  expect(await other.ask("take 50")).toBe("holds 64"); // as it believes; it got none
  expect(await other.ask("commit 1 2")).toBe("fenced");
  await store.commit("here", stateBatch(held.get(1) as Fence, 1));
  expect((await store.readOutbox("event", [{ partition: 1, after: 0 }], 10)).map(({ seq }) => seq)).toEqual([1]);
  await store.close();
});

test("what a process has acknowledged is there after it was killed", async () => {
  await using file = await temporaryFile();
  await using other = await otherProcess(file.path);
  await other.ask("take 50");
  for (let seq = 1; seq <= 20; seq++) expect(await other.ask(`commit 5 ${seq}`)).toBe("written");
  await other.kill();
  const store = sqlite(file.path);
  await store.open();
  expect((await store.readOutbox("event", [{ partition: 5, after: 0 }], 100)).length).toBe(20);
  const held = await takeAll(store);
  await store.commit("here", stateBatch(held.get(5) as Fence, 1));
  await store.close();
});

test("two processes write to one file at the same time, each to its partitions, and lose nothing", async () => {
  await using file = await temporaryFile();
  const store = sqlite(file.path);
  await store.open();
  const held = await takeAll(store);
  const given = held.get(7) as Fence;
  await store.release("here", [given]);
  await using other = await otherProcess(file.path);
  expect(await other.ask("take 60000")).toBe("holds 1");
  const theirs = (async () => {
    for (let seq = 1; seq <= 100; seq++) expect(await other.ask(`commit 7 ${seq}`)).toBe("written");
  })();
  for (let i = 0; i < 100; i++) {
    await store.commit("here", stateBatch(held.get(8) as Fence, i));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await theirs;
  expect((await store.readOutbox("event", [{ partition: 7, after: 0 }], 1_000)).length).toBe(100);
  expect((await store.list("t", { limit: 200, after: undefined })).length).toBe(100);
  await store.close();
});

test("processes that create the same file at the same time all have it open", async () => {
  await using file = await temporaryFile();
  const others = await Promise.all(Array.from({ length: 4 }, () => otherProcess(file.path)));
  const held = await Promise.all(others.map((other) => other.ask("take 60000")));
  expect(held.toSorted()).toEqual(["holds 0", "holds 0", "holds 0", "holds 64"]);
  await Promise.all(others.map((other) => other.kill()));
});
