/** The event gateway from outside: webhooks in, checked, routed, delivered. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { createClient } from "redis";
import { Webhook } from "standardwebhooks";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const WITHIN_MS = 20_000;
const SECRET = "it-is-a-secret-between-us";
const SCHEMA = {
  type: "object",
  properties: { action: { type: "string" }, number: { type: "integer" } },
  required: ["action"],
};

let harness: Harness;
let app: AppProcess;
let servers: Readonly<Record<string, string | undefined>>;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  servers = await testEnvironment("rabbitmq", "redis", "kafka");
  harness = await openHarness({
    kafka: true,
    environment: {
      RABBITMQ_URL: servers["RABBITMQ_URL"] ?? "",
      REDIS_URL: servers["REDIS_URL"] ?? "",
      WEBHOOK_RETRIES: "50ms,100ms,100ms",
      WEBHOOK_ALLOW_PRIVATE: "on",
    },
  });
  app = await harness.start().ready();
}, 180_000);
afterAll(async () => {
  for (const close of closing) await close().catch(() => undefined);
  await harness?.[Symbol.asyncDispose]();
}, 60_000);

const codeOf = ({ status, body }: Answer): string => `${status} ${(body as { code?: string }).code}`;
const json = { "content-type": "application/json" };
const put = (path: string, body: unknown): Promise<Answer> => app.send("PUT", path, JSON.stringify(body), json);

async function putOk(path: string, body: unknown): Promise<void> {
  const answer = await put(path, body);
  if (answer.status >= 300) throw new Error(`PUT ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** A webhook as GitHub sends it. */
function github(body: unknown, delivery: string, secret = SECRET): Promise<Answer> {
  const text = JSON.stringify(body);
  return app.send("POST", "/events/github", text, {
    ...json,
    "x-github-event": "pull_request",
    "x-github-delivery": delivery,
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`,
  });
}

/** A queue of its own, bound to an exchange. Resolves with a look at what has come. */
async function rabbitQueue(exchange: string, key: string): Promise<() => Promise<{ id: string; body: unknown }[]>> {
  const client = new AMQPClient(servers["RABBITMQ_URL"] ?? "");
  await client.connect();
  const channel = await client.channel();
  const name = `${harness.cluster}.${exchange}`;
  await channel.exchangeDeclare(name, "topic", { durable: true });
  const queue = await channel.queueDeclare("", { exclusive: true });
  await channel.queueBind(queue.name, name, key);
  const seen: { id: string; body: unknown }[] = [];
  await channel.basicConsume(queue.name, { noAck: true }, (message) => {
    seen.push({ id: message.properties.messageId ?? "", body: JSON.parse(message.bodyString() ?? "null") });
  });
  closing.push(async () => {
    await channel.exchangeDelete(name);
    await client.close();
  });
  return async () => seen;
}

async function redisEntries(stream: string): Promise<Record<string, string>[]> {
  const client = createClient({ url: servers["REDIS_URL"] ?? "" });
  await client.connect();
  const entries = await client.xRange(`${harness.cluster}.${stream}`, "-", "+");
  await client.close();
  return (entries ?? []).map(({ message }) => ({ ...message }));
}

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
}

async function lettersOf(reason: string, type: string): Promise<readonly Letter[]> {
  const { status, body } = await app.get(`/dead-letters?reason=${reason}&type=${type}`);
  expect(status).toBe(200);
  return (body as { items: Letter[] }).items;
}

/** A receiver of webhooks that answers as it is told, and remembers what came. */
function receiver(answerOf: (nth: number) => Response): {
  readonly url: string;
  readonly seen: { headers: Headers; body: string }[];
} {
  const seen: { headers: Headers; body: string }[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      seen.push({ headers: request.headers, body: await request.text() });
      return answerOf(seen.length);
    },
  });
  closing.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}/hook`, seen };
}

interface Made {
  readonly id: string;
  readonly secret: string;
}

async function endpointAt(url: string, more: object = {}): Promise<Made> {
  const { status, body } = await app.post("/endpoints", { url, ...more });
  expect(status).toBe(201);
  return body as Made;
}

describe("accepting", () => {
  test("an event is accepted once: a repeat is a duplicate, other content under its id is refused", async () => {
    const event = { type: "demo.made", data: { n: 1 }, id: "once-1" };
    expect([(await app.post("/events", event)).status, (await app.post("/events", event)).body]).toEqual([
      202,
      { id: "once-1", status: "duplicate" },
    ]);
    expect(codeOf(await app.post("/events", { ...event, data: { n: 2 } }))).toBe("422 event.id_reused");
  });

  test("of twenty twins at once one is accepted", async () => {
    const twins = Array.from({ length: 20 }, () => app.post("/events", { type: "demo.made", id: "twins", data: 1 }));
    const statuses = (await Promise.all(twins)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 202).length).toBe(1);
    expect(statuses.filter((status) => status === 200).length).toBe(19);
  });

  test("CloudEvents come structured, binary and in a batch", async () => {
    const event = { specversion: "1.0", id: "ce-1", source: "/demo", type: "demo.made", data: { n: 1 }, myext: "x" };
    const structured = { "content-type": "application/cloudevents+json" };
    expect((await app.send("POST", "/events", JSON.stringify(event), structured)).body).toEqual({
      id: "ce-1",
      status: "accepted",
    });
    const binary = await app.send("POST", "/events", '{"n":1}', {
      ...json,
      "ce-specversion": "1.0",
      "ce-id": "ce-2",
      "ce-source": "/demo",
      "ce-type": "demo.made",
      "ce-myext": "caf%C3%A9",
    });
    expect(binary.body).toEqual({ id: "ce-2", status: "accepted" });
    const batch = [
      { ...event, id: "ce-3" },
      { ...event, id: "ce-1" },
      { ...event, id: "ce-4", type: "" },
    ];
    const answer = await app.send("POST", "/events", JSON.stringify(batch), {
      "content-type": "application/cloudevents-batch+json",
    });
    expect(answer.status).toBe(202);
    expect((answer.body as { items: { status: string }[] }).items.map(({ status }) => status)).toEqual([
      "accepted",
      "duplicate",
      "rejected",
    ]);
  });

  const ce = { specversion: "1.0", id: "bad", source: "/demo", type: "demo.made" };
  const BAD: readonly (readonly [string, string, Readonly<Record<string, string>>, string])[] = [
    ["no JSON", "{", json, "400 json.malformed"],
    ["no body", "", json, "400 body.missing"],
    [
      "another media type",
      "a=1",
      { "content-type": "application/x-www-form-urlencoded" },
      "415 media_type.unsupported",
    ],
    ["compressed", "{}", { ...json, "content-encoding": "gzip" }, "415 media_type.encoding"],
    ["nested too deeply", `{"type":"a","data":${"[".repeat(100)}${"]".repeat(100)}}`, json, "400 json.too_deep"],
    ["a member twice", '{"type":"a","type":"b"}', json, "400 json.duplicate_key"],
    ["no type", "{}", json, "422 invalid_input"],
    ["an unknown member", '{"type":"a","isAdmin":true}', json, "422 invalid_input"],
    ["a prototype", '{"type":"a","__proto__":{"x":1}}', json, "422 invalid_input"],
    ["a type that is too long", JSON.stringify({ type: "a".repeat(201) }), json, "422 invalid_input"],
    [
      "the source of an actor of ours",
      JSON.stringify({ ...ce, source: "/order/1" }),
      json,
      "422 event.source_reserved",
    ],
    ["the source of a webhook", JSON.stringify({ ...ce, source: "/sources/a" }), json, "422 event.source_reserved"],
    ["a type with a line break", '{"type":"a\\r\\nb"}', json, "422 invalid_input"],
    ["an id with a line break", '{"type":"a","id":"x\\ny"}', json, "422 invalid_input"],
    ["another CloudEvents version", JSON.stringify({ ...ce, specversion: "0.3" }), json, "422 invalid_input"],
    ["a CloudEvent without an id", JSON.stringify({ ...ce, id: undefined }), json, "422 invalid_input"],
    ["an extension that is an object", JSON.stringify({ ...ce, ext: {} }), json, "422 invalid_input"],
    ["data twice", JSON.stringify({ ...ce, data: 1, data_base64: "AA==" }), json, "422 invalid_input"],
    ["a batch that is none", "{}", { "content-type": "application/cloudevents-batch+json" }, "422 invalid_input"],
    ["a header that is no text", "{}", { ...json, "ce-specversion": "1.0", "ce-id": "%zz" }, "422 invalid_input"],
    ["too large", JSON.stringify({ type: "a", data: "x".repeat(1_100_000) }), json, "413 body.too_large"],
    ["over an event's size", JSON.stringify({ type: "a", data: "x".repeat(900_000) }), json, "422 event_too_large"],
  ];
  test.each(BAD)("%s is refused", async (_, body, headers, expected) => {
    expect(codeOf(await app.send("POST", "/events", body, headers))).toBe(expected);
  });
});

describe("sources, schemas and routes", () => {
  test("a signed webhook goes through source, schema and route to every broker, with the same id", async () => {
    const queue = await rabbitQueue("hooks", "github.#");
    await putOk("/sources/github", { scheme: "github", secrets: [SECRET] });
    await putOk("/schemas/github.pull_request", SCHEMA);
    await putOk("/routes/pulls", {
      match: { type: "github.*", source: "github", where: { "/data/action": "opened" } },
      to: [
        { sink: "kafka", topic: "github.events.v1" },
        { sink: "rabbitmq", exchange: "hooks" },
        { sink: "nats", subject: "evt.github.opened" },
        { sink: "nats", subject: "hooks.github" },
        { sink: "redis", stream: "github" },
      ],
    });
    expect((await github({ action: "opened", number: 7 }, "delivery-1")).body).toEqual({
      id: "delivery-1",
      status: "accepted",
    });
    expect((await github({ action: "opened", number: 7 }, "delivery-1")).status).toBe(200);
    expect((await github({ action: "closed", number: 7 }, "delivery-2")).status).toBe(202);

    const expected = { id: "delivery-1", source: "/sources/github", type: "github.pull_request" };
    const mine = (events: readonly { id: string }[]): { id: string }[] =>
      events.filter(({ id }) => id === "delivery-1");
    const kafka = await eventually("Kafka has it", WITHIN_MS, async () => mine(await harness.kafkaEvents())[0]);
    expect(kafka).toMatchObject({ ...expected, data: { action: "opened", number: 7 } });
    const [rabbit] = await eventually("RabbitMQ has it", WITHIN_MS, async () => {
      const seen = await queue();
      return seen.length > 0 ? seen : undefined;
    });
    expect(rabbit).toMatchObject({ id: "delivery-1", body: expected });
    await eventually("NATS has it", WITHIN_MS, async () => mine(await harness.natsEvents())[0]);
    const [entry] = await eventually("Redis has it", WITHIN_MS, async () => {
      const entries = await redisEntries("github");
      return entries.length > 0 ? entries : undefined;
    });
    expect(JSON.parse(entry?.["event"] ?? "{}")).toMatchObject(expected);
    expect((await queue()).length).toBe(1);
  });

  test("a webhook that is not signed by the source is a 401, and nobody learns the secret", async () => {
    expect(codeOf(await github({ action: "opened" }, "forged", "another secret"))).toBe("401 webhook.unverified");
    expect(codeOf(await app.post("/events/github", { action: "opened" }))).toBe("401 webhook.unverified");
    expect(codeOf(await app.post("/events/nobody", {}))).toBe("404 source.not_found");
    const shown = [await app.get("/sources/github"), await app.get("/sources"), await app.get("/actors/source/github")];
    expect(JSON.stringify(shown.map(({ body }) => body)) + app.log()).not.toContain(SECRET);
  });

  test("data that does not fit is a 422 with its place, and a dead letter that can be replayed once it fits", async () => {
    const answer = await github({ number: 7 }, "misfit-1");
    expect(codeOf(answer)).toBe("422 event.schema_violation");
    expect(answer.body).toMatchObject({ errors: [{ path: "/data" }] });
    const [letter] = await lettersOf("schema", "github.pull_request");
    const id = encodeURIComponent(letter?.id ?? "");
    expect(letter).toMatchObject({ detail: expect.stringContaining("/data"), type: "github.pull_request" });
    expect((await app.post(`/dead-letters/${id}/replay`)).body).toMatchObject({ replayed: [], failed: [{}] });
    await putOk("/schemas/github.pull_request", { type: "object" });
    expect((await app.post(`/dead-letters/${id}/replay`)).body).toMatchObject({ replayed: [letter?.id], failed: [] });
    expect(codeOf(await app.get(`/dead-letters/${id}`))).toBe("404 dead_letter.not_found");
    expect((await github({ number: 7 }, "misfit-1")).body).toEqual({ id: "misfit-1", status: "duplicate" });
  });

  test("a change that would refuse what is valid needs force; the difference is named", async () => {
    await putOk("/schemas/demo.changing", SCHEMA);
    const stricter = { ...SCHEMA, required: ["action", "number"] };
    const refused = await put("/schemas/demo.changing", stricter);
    expect(codeOf(refused)).toBe("409 schema.incompatible");
    expect(refused.body).toMatchObject({ errors: [{ path: "/required" }] });
    expect((await put("/schemas/demo.changing?force=true", stricter)).body).toMatchObject({ version: 2 });
    expect((await app.post("/events", { type: "demo.changing", data: { action: "x" } })).status).toBe(422);
    expect((await put("/schemas/demo.changing", SCHEMA)).body).toMatchObject({ version: 3 });
    expect((await app.post("/events", { type: "demo.changing", data: { action: "x" } })).status).toBe(202);
  });

  test("a route is in force within a second on another node, too", async () => {
    const other = await harness.start().ready();
    const from = performance.now();
    await putOk("/routes/late", { match: { type: "late.*" }, to: [{ sink: "redis", stream: "late" }] });
    await eventually("a second has passed", 2_000, async () => performance.now() - from >= 1_000);
    // Whichever node owns their inboxes: all of them know the route by now.
    const ids = Array.from({ length: 40 }, (_, n) => `late-${n}`);
    const sent = await Promise.all(ids.map((id, n) => [app, other][n % 2]?.post("/events", { type: "late.made", id })));
    expect(sent.map((answer) => answer?.status)).toEqual(ids.map(() => 202));
    const seen = await eventually("all have come", 4_000, async () => {
      const entries = await redisEntries("late");
      return entries.length >= ids.length ? entries : undefined;
    });
    expect(new Set(seen.map(({ id }) => id))).toEqual(new Set(ids));
    const removed = await app.send("DELETE", "/routes/late");
    expect(removed.status).toBe(204);
    expect(codeOf(await app.get("/routes/late"))).toBe("404 route.not_found");
    expect(await other.stop()).toBe(0);
  });

  const to = [{ sink: "kafka", topic: "x.y" }];
  const BAD: readonly (readonly [string, string, unknown])[] = [
    ["/routes/bad", "a topic with a slash", { match: { type: "a" }, to: [{ sink: "kafka", topic: "../x" }] }],
    ["/routes/bad", "a subject with a wildcard", { match: { type: "a" }, to: [{ sink: "nats", subject: "a.>" }] }],
    ["/routes/bad", "an inner subject", { match: { type: "a" }, to: [{ sink: "nats", subject: "troupe.node.x" }] }],
    ["/routes/bad", "a system subject", { match: { type: "a" }, to: [{ sink: "nats", subject: "$JS.API.x" }] }],
    ["/routes/bad", "no destination", { match: { type: "a" }, to: [] }],
    ["/routes/bad", "a pointer that is none", { match: { type: "a", where: { "a.b": 1 } }, to }],
    ["/routes/bad", "a pattern that is none", { match: { type: "a*" }, to }],
    ["/routes/BAD", "a bad name", { match: { type: "a" }, to }],
    ["/routes/bad", "an unknown sink", { match: { type: "a" }, to: [{ sink: "smtp", to: "x" }] }],
    ["/sources/bad", "a scheme unknown", { scheme: "rot13", secrets: ["12345678"] }],
    ["/sources/bad", "hmac without its header", { scheme: "hmac", secrets: ["12345678"], type: { header: "x-t" } }],
    ["/sources/bad", "a standard secret that is none", { scheme: "standard", secrets: ["12345678"] }],
    ["/sources/bad", "no secret", { scheme: "github", secrets: [] }],
    ["/schemas/bad.type", "a keyword unknown", { typ: "object" }],
    ["/schemas/bad.type", "a remote reference", { $ref: "https://example.com/x" }],
    ["/schemas/bad%0Atype", "a bad type", {}],
    [
      "/routes/bad",
      "a place of our own events",
      { match: { type: "a" }, to: [{ sink: "rabbitmq", exchange: "events" }] },
    ],
    [
      "/routes/bad",
      "a topic of our own events",
      { match: { type: "a" }, to: [{ sink: "kafka", topic: "order.events.v1" }] },
    ],
  ];
  test.each(BAD)("%s: %s is a 422", async (path, _, body) => {
    expect((await put(path, body)).status).toBe(422);
  });
});

describe("endpoints and dead letters", () => {
  test("an endpoint that fails twice gets the webhook at the third try, signed, under one id", async () => {
    const { url, seen } = receiver((nth) => new Response(null, { status: nth < 3 ? 500 : 204 }));
    const { id, secret } = await endpointAt(url);
    await putOk("/routes/hook", { match: { type: "hook.made" }, to: [{ endpoint: id }] });
    expect((await app.post("/events", { type: "hook.made", id: "hook-1", data: { n: 1 } })).status).toBe(202);
    await eventually("the third try", WITHIN_MS, async () => seen.length === 3);
    for (const { headers, body } of seen) {
      const signed = Object.fromEntries([...headers].filter(([name]) => name.startsWith("webhook-")));
      expect(new Webhook(secret).verify(body, signed)).toMatchObject({
        id: "hook-1",
        type: "hook.made",
        data: { n: 1 },
      });
    }
    expect(new Set(seen.map(({ headers }) => headers.get("webhook-id"))).size).toBe(1);
    const attempts = await eventually("the attempts are kept", WITHIN_MS, async () => {
      const { items } = (await app.get(`/endpoints/${id}/attempts`)).body as { items: { status: number }[] };
      return items.length === 3 ? items : undefined;
    });
    expect(attempts.map(({ status }) => status)).toEqual([204, 500, 500]);
    const shown = [
      await app.get(`/endpoints/${id}`),
      await app.get("/endpoints"),
      await app.get(`/actors/endpoint/${id}`),
    ];
    expect(JSON.stringify(shown.map(({ body }) => body)) + app.log()).not.toContain(secret.slice(6));
  });

  test("after a rotation both secrets verify, and a stopped receiver's dead letter can be replayed", async () => {
    let up = false;
    const { url, seen } = receiver(() => new Response(null, { status: up ? 200 : 503 }));
    const { id, secret } = await endpointAt(url);
    const rotated = (await app.post(`/endpoints/${id}/rotate-secret`, { overlap: "1h" })).body as Made;
    expect((await app.post(`/endpoints/${id}/rotate-secret`)).status).toBe(200);
    await putOk("/routes/down", { match: { type: "down.*" }, to: [{ endpoint: id }] });
    await app.post("/events", { type: "down.made", id: "down-1", data: 1 });
    const letter = await eventually(
      "the dead letter",
      WITHIN_MS,
      async () => (await lettersOf("receiver", "down.made"))[0],
    );
    expect(letter.detail).toBe("The receiver answered 503");
    expect(seen.length).toBe(4);
    up = true;
    // Four failures in a row: one more would have opened the circuit.
    const replayed = await app.post(`/dead-letters/${encodeURIComponent(letter.id)}/replay`);
    expect(replayed.body).toMatchObject({ replayed: [letter.id], failed: [] });
    await eventually("the replay is delivered", WITHIN_MS, async () => seen.length === 5);
    const last = seen[4];
    const signed = Object.fromEntries(last?.headers ?? []);
    for (const one of [secret, rotated.secret]) expect(new Webhook(one).verify(last?.body ?? "", signed)).toBeDefined();
    expect(signed["webhook-id"]).toBe(seen[0]?.headers.get("webhook-id") ?? "");
  });

  test("an event that nobody is bound for is a dead letter with reason route; many are replayed at once", async () => {
    await putOk("/routes/unbound", { match: { type: "unbound.*" }, to: [{ sink: "rabbitmq", exchange: "unbound" }] });
    for (const id of ["u-1", "u-2"]) await app.post("/events", { type: "unbound.made", id, subject: "s" });
    await eventually("both letters", WITHIN_MS, async () => (await lettersOf("route", "unbound.made")).length === 2);
    const queue = await rabbitQueue("unbound", "#");
    const body = { filter: { reason: "route", type: "unbound.made" }, ratePerSecond: 100 };
    expect((await app.post("/dead-letters/replay", { ...body, dryRun: true })).body).toMatchObject({
      ...{ matching: 2, dryRun: true, reasons: { route: 2 }, id: null },
      oldest: expect.any(String),
    });
    const begun = await app.post("/dead-letters/replay", body);
    expect(begun).toMatchObject({ status: 202, body: { matching: 2, dryRun: false } });
    await eventually("both have come, in order", WITHIN_MS, async () => (await queue()).length === 2);
    expect((await queue()).map(({ id }) => id)).toEqual(["u-1", "u-2"]);
    await eventually(
      "the letters are gone",
      WITHIN_MS,
      async () => (await lettersOf("route", "unbound.made")).length === 0,
    );
    const { id } = begun.body as { id: string };
    const ended = await eventually("the run has ended", WITHIN_MS, async () => {
      const { body: view } = await app.get(`/dead-letters/replays/${id}`);
      return (view as { status: string }).status === "running" ? undefined : view;
    });
    expect(ended).toMatchObject({ id, status: "completed", matching: 2, replayed: 2, failed: 0 });
  });

  test("a letter's data can be put right: it has to fit the schema of now, and the original stays beside it", async () => {
    await putOk("/schemas/demo.edited", SCHEMA);
    await app.post("/events", { type: "demo.edited", id: "edited-1", data: { number: 1 } });
    const [letter] = await lettersOf("schema", "demo.edited");
    const path = `/dead-letters/${encodeURIComponent(letter?.id ?? "")}`;
    const patch = (data: unknown): Promise<Answer> => app.send("PATCH", path, JSON.stringify({ data }), json);
    const misfit = await patch({ number: 2 });
    expect(codeOf(misfit)).toBe("422 event.schema_violation");
    expect(misfit.body).toMatchObject({ errors: [{ path: "/data" }] });
    const whole = { data: { action: "x", number: 1 }, original: { data: { number: 1 } }, edits: [{ by: null }] };
    expect(await patch({ action: "x", number: 1 })).toMatchObject({ status: 200, body: whole });
    expect((await app.get(path)).body).toMatchObject(whole);
    expect((await app.post(`${path}/replay`)).body).toMatchObject({ replayed: [letter?.id] });
    const again = { type: "demo.edited", id: "edited-1", data: { action: "x", number: 1 } };
    expect((await app.post("/events", again)).body).toEqual({ id: "edited-1", status: "duplicate" });
    expect(codeOf(await patch({ action: "x" }))).toBe("404 dead_letter.not_found");
  });

  test("letters are found by key and time, and every one of them is counted", async () => {
    await putOk("/routes/counted", { match: { type: "counted.*" }, to: [{ sink: "rabbitmq", exchange: "counted" }] });
    const from = new Date().toISOString();
    for (const subject of ["s1", "s2"]) await app.post("/events", { type: "counted.made", id: subject, subject });
    await eventually("both letters", WITHIN_MS, async () => (await lettersOf("route", "counted.made")).length === 2);
    const found = async (query: string): Promise<number> =>
      ((await app.get(`/dead-letters?type=counted.made&${query}`)).body as { items: unknown[] }).items.length;
    const { body } = await app.get("/dead-letters?type=counted.made&limit=1");
    const { items, next } = body as { items: { key: string }[]; next: string };
    expect(await found(`key=${encodeURIComponent(items[0]?.key ?? "")}`)).toBe(1);
    expect([await found(`from=${from}`), await found(`to=${from}`)]).toEqual([2, 0]);
    expect(codeOf(await app.get("/dead-letters?from=yesterday"))).toBe("422 invalid_input");
    // The first page is gone by the time the second is asked for: it shifts nothing.
    await app.send("DELETE", `/dead-letters/${encodeURIComponent((items[0] as unknown as Letter).id)}`);
    expect(await found(`limit=1&cursor=${next}`)).toBe(1);
    const metrics = String((await app.get("/metrics")).body);
    const counted = Number(/troupe_dead_letters\{reason="route"\} (\d+)/.exec(metrics)?.[1]);
    const { body: plan } = await app.post("/dead-letters/replay", { filter: { reason: "route" }, dryRun: true });
    expect((plan as { matching: number }).matching).toBe(counted);
  });

  test("a letter can be dropped", async () => {
    await putOk("/routes/dropped", {
      match: { type: "dropped.made" },
      to: [{ sink: "rabbitmq", exchange: "dropped" }],
    });
    await app.post("/events", { type: "dropped.made", id: "d-1" });
    const letter = await eventually("the letter", WITHIN_MS, async () => (await lettersOf("route", "dropped.made"))[0]);
    const path = `/dead-letters/${encodeURIComponent(letter.id)}`;
    expect((await app.send("DELETE", path)).status).toBe(204);
    expect((await app.send("DELETE", path)).status).toBe(404);
  });

  test("what is no endpoint is refused", async () => {
    for (const url of ["ftp://example.com", "https://user:pw@example.com", "not a url", ""])
      expect((await app.post("/endpoints", { url })).status).toBe(422);
    const nobody = "ep_00000000-0000-7000-8000-000000000000";
    expect(codeOf(await put("/routes/to-nobody", { match: { type: "a" }, to: [{ endpoint: nobody }] }))).toBe(
      "422 route.unknown_endpoint",
    );
    expect(codeOf(await app.get(`/endpoints/${nobody}`))).toBe("404 endpoint.not_found");
    expect(codeOf(await app.get("/endpoints/x"))).toBe("404 endpoint.not_found");
  });

  test("without the setting for tests an endpoint never leads to a private address", async () => {
    const strict = await harness.start({ WEBHOOK_ALLOW_PRIVATE: "off" }).ready();
    for (const url of [
      "http://127.0.0.1/",
      "http://127.1/",
      "http://0x7f.1/",
      "http://2130706433/",
      "http://[::1]/",
      "http://169.254.169.254/latest",
      "http://10.0.0.1/",
      "http://[::ffff:127.0.0.1]/",
      "http://localhost/",
    ])
      expect(codeOf(await strict.post("/endpoints", { url }))).toBe("422 invalid_input");
    expect(await strict.stop()).toBe(0);
  });
});
