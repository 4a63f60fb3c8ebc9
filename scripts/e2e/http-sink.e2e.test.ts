/** Events of actors elsewhere, as in a Durable Object, that reach the event gateway over HTTP: `httpSink` against the app itself. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createClient } from "redis";
import * as v from "valibot";
import { httpSink } from "#infra/durable-object/http-sink.ts";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { actor, createTroupe, memory } from "#runtime";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const WITHIN_MS = 60_000;
const ADMIN = "admin-key-of-these-tests-0123456789";
const BELLS = 8;
const RINGS = 60;

const Bell = actor("bell", {
  state: v.object({ rung: v.number() }),
  initial: () => ({ rung: 0 }),
  emits: { "bell.rung.v1": v.object({ nth: v.number() }) },
  messages: ({ command }) => ({ ring: command({}, (c) => c.emit("bell.rung.v1", { nth: ++c.state.rung })) }),
});

let harness: Harness;
let app: AppProcess;
let redisUrl: string;

beforeAll(async () => {
  const { REDIS_URL = "" } = await testEnvironment("redis");
  redisUrl = REDIS_URL;
  harness = await openHarness({
    environment: { REDIS_URL, TROUPE_AUTH: "on", TROUPE_ADMIN_KEY: ADMIN, TROUPE_ROLES: "ingress,actors" },
  });
  app = await harness.start().ready();
}, 180_000);
afterAll(async () => await harness?.[Symbol.asyncDispose](), 60_000);

const auth = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };

async function put(path: string, body: unknown): Promise<void> {
  const { status, body: answer } = await app.send("PUT", path, JSON.stringify(body), auth);
  if (status >= 300) throw new Error(`PUT ${path}: ${status} ${JSON.stringify(answer)}`);
}

/** What each bell has rung, in the order of the stream, a repeat of an event left out. */
async function heard(stream: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const entries = (await client.xRange(`${harness.cluster}.${stream}`, "-", "+")) ?? [];
  await client.close();
  const seen = new Set<string>();
  const rung = new Map<string, number[]>();
  for (const { message } of entries) {
    const event = JSON.parse(message["event"] ?? "null") as { id: string; subject: string; data: { nth: number } };
    if (seen.has(event.id)) continue;
    seen.add(event.id);
    rung.set(event.subject, [...(rung.get(event.subject) ?? []), event.data.nth]);
  }
  return rung;
}

test("events reach the gateway once and in the order of their actor, also where it is killed under them", async () => {
  await put("/routes/bells", { match: { type: "bell.*" }, to: [{ sink: "redis", stream: "bells" }] });
  const made = await app.post("/keys", { name: "bells", scopes: ["events"] }, auth);
  const { key } = made.body as { key: string };
  let answered = 0;
  const sink = httpSink({
    url: "http://gateway/events",
    auth: key,
    timeoutMs: 2_000,
    // Where the gateway is by now, as a load balancer would know.
    async fetch(request) {
      const response = await fetch(`${await app.listening()}/events`, {
        method: request.method,
        headers: request.headers,
        signal: request.signal,
        body: await request.text(),
      });
      answered++;
      return response;
    },
  });
  const troupe = await createTroupe({ actors: [Bell], stores: { default: memory() }, sinks: [sink] });
  try {
    const bells = Array.from({ length: BELLS }, (_, i) => troupe.ref(Bell, `b${i}`));
    const ringing = (async () => {
      for (let n = 0; n < RINGS; n++) await Promise.all(bells.map((bell) => bell.ring()));
    })();
    await eventually("some were taken", WITHIN_MS, async () => answered >= 40);
    await app.kill();
    const next = harness.start();
    await next.listening();
    app = next;
    await ringing;
    await eventually("all were taken", WITHIN_MS, async () => troupe.status().sinks[0]?.pending === 0);
    await app.ready();
    const all = Array.from({ length: RINGS }, (_, n) => n + 1);
    await eventually("all were handed on", WITHIN_MS, async () => {
      const rung = await heard("bells");
      return [...rung.values()].reduce((sum, { length }) => sum + length, 0) === BELLS * RINGS;
    });
    const rung = await heard("bells");
    for (let i = 0; i < BELLS; i++) expect([i, rung.get(`b${i}`)]).toEqual([i, all]);
    expect((await troupe.deadLetters.list()).items).toEqual([]);
  } finally {
    await troupe.stop();
  }
});

test("an event that the gateway refuses for what it is becomes a dead letter here, and the others go on", async () => {
  await put("/schemas/bell.rung.v1", {
    type: "object",
    properties: { nth: { type: "integer", not: { const: 2 } } },
    required: ["nth"],
  });
  const sink = httpSink({ url: `${await app.listening()}/events`, auth: ADMIN });
  const troupe = await createTroupe({ actors: [Bell], stores: { default: memory() }, sinks: [sink] });
  try {
    for (let n = 0; n < 3; n++) await troupe.ref(Bell, "picky").ring();
    const first = await eventually("a dead letter", WITHIN_MS, async () => (await troupe.deadLetters.list()).items[0]);
    expect([first.reason, first.detail.slice(0, 3), first.detail.includes("/nth")]).toEqual(["broker", "422", true]);
    await eventually("the others were handed on", WITHIN_MS, async () => {
      const picky = (await heard("bells")).get("picky");
      return JSON.stringify(picky) === "[1,3]";
    });
  } finally {
    await troupe.stop();
  }
});
