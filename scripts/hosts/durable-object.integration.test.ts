import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type RemoteSocket } from "#infra/client/mod.ts";
import type { Counter, Room } from "#infra/door/door-bench.ts";
import { hosts } from "./binaries.ts";
import type { Bell } from "./object-worker.ts";
import type { Outcome } from "./outcomes.ts";
import { type RunningWorker, serveWorker } from "./workerd.ts";

setDefaultTimeout(300_000);

let folder = "";
let worker: RunningWorker | undefined;
let gateway: ReturnType<typeof Bun.serve> | undefined;
/** What the gateway took, and when it answers 503. */
const events: { id: string; type: string; data: unknown }[] = [];
let down = false;
let refused = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "troupe-objects-"));
  const built = await Bun.build({
    entrypoints: ["object-suite.ts", "object-worker.ts"].map((file) => join(import.meta.dir, file)),
    target: "browser",
    format: "esm",
    outdir: folder,
    naming: "[name].mjs",
  });
  expect(built.success).toBe(true);
  gateway = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      if (down) {
        refused++;
        return new Response("not now", { status: 503 });
      }
      events.push((await request.json()) as (typeof events)[number]);
      return Response.json({ status: "accepted" }, { status: 202 });
    },
  });
});
afterEach(async () => {
  await worker?.[Symbol.asyncDispose]();
  worker = undefined;
});
afterAll(async () => {
  await gateway?.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

async function serve(
  disk: string,
  port = 0,
  bundle = "object-worker.mjs",
): Promise<{ readonly url: string; readonly port: number }> {
  const { workerd } = await hosts();
  mkdirSync(join(folder, disk), { recursive: true });
  const vars = { EVENTS_URL: `http://127.0.0.1:${gateway?.port}/events` };
  const objects = { className: "Actors", disk: join(folder, disk), vars };
  worker = await serveWorker(workerd, join(folder, bundle), { objects, port });
  return { url: worker.url, port: Number(new URL(worker.url).port) };
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

test("the store does all it must inside a Durable Object", async () => {
  const { workerd } = await hosts();
  mkdirSync(join(folder, "suite"));
  const objects = { className: "Suite", disk: join(folder, "suite") };
  worker = await serveWorker(workerd, join(folder, "object-suite.mjs"), { objects });
  const outcomes = (await (await fetch(worker.url)).json()) as Outcome[];
  expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(50);
});

test("calls, streams and sockets of the same definitions, and an object that is killed meanwhile loses and doubles nothing", async () => {
  const { url, port } = await serve("killed");
  const client = connect<{ counter: typeof Counter }>(url, { timeoutMs: 120_000 });
  const visits = client.ref("counter", "visits");
  const EACH = 40;
  const replies: number[] = [];
  const callers = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < EACH; i++) {
      replies.push(await visits.add({ by: 1 }));
      if (replies.length !== 60) continue;
      await worker?.[Symbol.asyncDispose]();
      await serve("killed", port);
    }
  });
  await Promise.all(callers);
  const all = Array.from({ length: 4 * EACH }, (_, i) => i + 1);
  expect(replies.toSorted((a, b) => a - b)).toEqual(all);
  for await (const { state, version } of client.watch("counter", "visits")) {
    expect([state.count, version]).toEqual([4 * EACH, 4 * EACH]);
    break;
  }
  const rooms = connect<{ room: typeof Room }>(url, { transport: "websocket" });
  const anna: RemoteSocket<typeof Room> = await rooms.socket("room", "lobby", { data: { name: "anna" } });
  await anna.send({ say: "hello" });
  for await (const { text } of anna) {
    expect(text).toBe("hello");
    break;
  }
  rooms.close();
});

test("a timer is the object's alarm, also after its process was killed, and its event reaches the gateway once it is back", async () => {
  const { url, port } = await serve("alarm");
  const ringing = (at: string) => connect<{ bell: typeof Bell }>(at, { timeoutMs: 60_000 }).ref("bell", "b");
  down = true;
  await ringing(url).ringIn(1_500);
  await worker?.[Symbol.asyncDispose]();
  await serve("alarm", port);
  // Nobody calls the object: what wakes it is its alarm.
  await until(() => refused > 0);
  down = false;
  await until(() => events.length > 0);
  expect(events.map(({ type, data }) => [type, data])).toEqual([["bell.rung.v1", { nth: 1 }]]);
  expect(await ringing(url).rung()).toBe(1);
});

test("the example that runs on Bun is a worker as it is", async () => {
  const built = await Bun.build({
    entrypoints: [join(import.meta.dir, "../../runtime/examples/10-anywhere.ts")],
    target: "browser",
    format: "esm",
    external: ["troupe/sqlite"],
    outdir: folder,
    naming: "anywhere.mjs",
  });
  expect(built.success).toBe(true);
  const { url } = await serve("anywhere", 0, "anywhere.mjs");
  const client = connect<{ counter: typeof Counter }>(url, { transport: "websocket", timeoutMs: 60_000 });
  expect(await client.ref("counter", "visits").add({ by: 2 })).toBe(2);
  client.close();
});
