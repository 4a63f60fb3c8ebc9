import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../client/mod.ts";
import type { RemoteSocket } from "../client/mod.ts";
import { startKillable } from "../testing/killable.ts";
import type { Counter, Room } from "./door-bench.ts";

setDefaultTimeout(120_000);

let folder = "";
let server: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-door-"));
});
afterEach(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

interface Server {
  readonly port: number;
  kill(): Promise<void>;
}

async function startServer(port: number): Promise<Server> {
  const fixture = join(import.meta.dir, "counter-process.fixture.ts");
  const { said, kill } = await startKillable([fixture, join(folder, "store.db"), String(port)]);
  return { port: Number(said), kill };
}

test("a server that is killed and started again during calls loses nothing and doubles nothing", async () => {
  server = await startServer(0);
  const { port } = server;
  const client = connect<{ counter: typeof Counter }>(`http://127.0.0.1:${port}`, { timeoutMs: 60_000 });
  const visits = client.ref("counter", "visits");
  const stop = new AbortController();
  const seen: number[] = [];
  const watching = (async () => {
    for await (const { state } of client.watch("counter", "visits", { signal: stop.signal })) seen.push(state.count);
  })();

  const CALLERS = 8;
  const EACH = 60;
  const replies: number[] = [];
  const killedAt = [CALLERS * 10, CALLERS * 30];
  const callers = Array.from({ length: CALLERS }, async () => {
    for (let i = 0; i < EACH; i++) {
      replies.push(await visits.add({ by: 1 }));
      if (replies.length !== killedAt[0]) continue;
      killedAt.shift();
      await server?.kill();
      server = await startServer(port);
    }
  });
  await Promise.all(callers);

  const all = Array.from({ length: CALLERS * EACH }, (_, i) => i + 1);
  expect(killedAt).toEqual([]);
  expect(await visits.value()).toBe(CALLERS * EACH);
  expect(replies.toSorted((a, b) => a - b)).toEqual(all);
  while (seen.at(-1) !== CALLERS * EACH) await new Promise((resolve) => setTimeout(resolve, 5));
  stop.abort();
  await watching;
  expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
});

test("what was said over a socket of an actor and acknowledged outlives a killed server, and nothing is said twice", async () => {
  server = await startServer(0);
  const { port } = server;
  const client = connect<{ room: typeof Room }>(`http://127.0.0.1:${port}`, {
    transport: "websocket",
    timeoutMs: 60_000,
  });
  const acknowledged: string[] = [];
  let socket: RemoteSocket<typeof Room> | undefined;
  for (let n = 0; n < 120; n++) {
    if (n === 40 || n === 80) void server?.kill();
    try {
      socket ??= await client.socket("room", "lobby", { data: { name: "anna" } });
      await socket.send({ say: String(n) });
      acknowledged.push(String(n));
    } catch {
      // The socket ended with its process. Whether this message had its turn, nobody knows: it is not said again.
      socket = undefined;
      await server?.kill();
      server = await startServer(port);
    }
  }
  const said = await client.ref("room", "lobby").said();
  client.close();
  expect(acknowledged.length).toBeGreaterThan(110);
  expect(said.filter((text) => acknowledged.includes(text))).toEqual(acknowledged);
  expect(new Set(said).size).toBe(said.length);
});
