/** The event gateway from the door to its outbox. */
import { heapStats } from "bun:jsc";
import { afterAll, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { createHmac } from "node:crypto";
import { SchemaValidator } from "#infra/schemas/validator.ts";
import { plainBox } from "#infra/secrets/secret-box.ts";
import { createTroupe, memory, memoryTopics, type OutboxRecord, PARTITION_COUNT, silentLog } from "#runtime";
import { createEndpoint } from "../gateway/endpoint/endpoint.ts";
import { Directory } from "../gateway/http/directory.ts";
import { gatewayRoutes } from "../gateway/http/gateway.ts";
import { misfitOf } from "../gateway/http/intake.ts";
import { createInbox } from "../gateway/inbox/inbox.ts";
import { createRedrive } from "../gateway/redrive/redrive.ts";
import { Route } from "../gateway/route/route.ts";
import { EventSchema } from "../gateway/schema/schema.ts";
import { createSource } from "../gateway/source/source.ts";
import { createIngress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

// The worker that compiles schemas loads on its first job.
setDefaultTimeout(30_000);

const store = memory();
const validator = new SchemaValidator({ withinMs: 5_000 });
const inbox = createInbox({
  routes: () => directory.routes(),
  check: (event) => misfitOf(directory, event),
  retriesMs: [],
});
const redrive = createRedrive({
  summary: (filter) => troupe.deadLetters.summary(filter),
  replaySome: (filter, options) => troupe.deadLetters.replaySome(filter, options),
});
const troupe = await createTroupe({
  actors: [inbox, redrive, Route, EventSchema, createSource(plainBox), createEndpoint(plainBox)],
  stores: { default: store },
  topics: memoryTopics(),
});
const directory = new Directory(troupe, validator, plainBox, silentLog);
const deps = stubDeps({ troupe: () => troupe });
const ingress = createIngress(deps, [
  ...gatewayRoutes({
    ...deps,
    directory: () => directory,
    validator,
    nouns: () => new Set(["order", "delivery"]),
    secrets: plainBox,
  }),
]);
afterAll(async () => {
  directory[Symbol.dispose]();
  validator[Symbol.dispose]();
  await troupe.stop();
});

interface Issue {
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: {
    readonly status?: unknown;
    readonly code?: string;
    readonly errors?: readonly Issue[];
    readonly items?: readonly unknown[];
  };
}

async function send(
  method: string,
  path: string,
  body: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const request = new Request(`http://localhost${path}`, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
  });
  const answer = await ingress.handle(request);
  const text = await answer.text();
  return { status: answer.status, text, body: (text === "" ? {} : JSON.parse(text)) as Answer["body"] };
}

const put = (path: string, body: unknown): Promise<Answer> =>
  send("PUT", path, typeof body === "string" ? body : JSON.stringify(body));
const post = (body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  send("POST", "/events", typeof body === "string" ? body : JSON.stringify(body), headers);
const codeOf = ({ status, body }: Answer): string => `${status} ${body.code ?? String(body.status)}`;
const cloudEvent = (more: object): object => ({
  specversion: "1.0",
  id: crypto.randomUUID(),
  source: "/demo",
  type: "demo.made",
  ...more,
});

async function routed(type: string): Promise<readonly OutboxRecord[]> {
  const all = Array.from({ length: PARTITION_COUNT }, (_, partition) => ({ partition, after: 0 }));
  return (await store.readOutbox("routed", all, 1_000)).filter(({ name }) => name === type);
}

test("no event says that it comes from an actor of ours or from a registered source, alone or in a batch", async () => {
  await put("/sources/shop-hooks", { scheme: "github", secrets: ["it-is-a-secret"] });
  for (const source of ["/order/ord_1", "/sources/shop-hooks", "shop-hooks", "/sources/later", "/x/../order/1"]) {
    const forged = cloudEvent({ type: "order.cancelled.v1", source, subject: "ord_1" });
    const refused = await post(forged, { "content-type": "application/cloudevents+json" });
    expect([source, codeOf(refused)]).toEqual([source, "422 event.source_reserved"]);
    const batch = await post([forged], { "content-type": "application/cloudevents-batch+json" });
    expect(batch.body.items).toMatchObject([{ status: "rejected", code: "event.source_reserved" }]);
    const binary = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": source, "ce-type": "order.cancelled.v1" };
    expect(codeOf(await post({}, binary))).toBe("422 event.source_reserved");
  }
  expect(await routed("order.cancelled.v1")).toEqual([]);
});

test("no route leads to a place of our own events", async () => {
  for (const to of [
    { sink: "kafka", topic: "order.events.v1" },
    { sink: "nats", subject: "evt.order.cancelled.v1" },
    { sink: "rabbitmq", exchange: "events" },
    { sink: "redis", stream: "events:order" },
  ]) {
    const refused = await put("/routes/forging", { match: { type: "*" }, to: [{ sink: "redis", stream: "ok" }, to] });
    expect([to, codeOf(refused)]).toEqual([to, "422 route.reserved"]);
    expect(refused.body.errors).toMatchObject([
      { path: "/to/1", expected: expect.any(String), received: expect.any(String) },
    ]);
  }
  expect((await send("GET", "/routes/forging", undefined)).status).toBe(404);
});

test("events of different sources with one id are two, and each is taken once", async () => {
  for (const source of ["/one", "/two", "/three"]) {
    const event = cloudEvent({ id: "1", source, type: "many.made" });
    expect((await post(event)).status).toBe(202);
    expect((await post(event)).status).toBe(200);
  }
  expect((await routed("many.made")).length).toBe(3);
});

test("a recorded webhook that comes again under another id or type is a duplicate, without a second effect", async () => {
  await put("/sources/recorded", { scheme: "github", secrets: ["it-is-a-secret"] });
  const hook = (body: string, headers: Readonly<Record<string, string>>): Promise<Answer> => {
    const sign = createHmac("sha256", "it-is-a-secret").update(body).digest("hex");
    return send("POST", "/events/recorded", body, { "x-hub-signature-256": `sha256=${sign}`, ...headers });
  };
  const first = { "x-github-event": "push", "x-github-delivery": "1" };
  expect((await hook('{"a":1}', first)).body).toMatchObject({ id: "1", status: "accepted" });
  for (const again of [
    first,
    { ...first, "x-github-delivery": "2" },
    { ...first, "x-github-event": "ping" },
    { "x-github-event": "x" },
  ])
    expect((await hook('{"a":1}', again)).body).toMatchObject({ status: "duplicate" });
  expect((await hook('{"a":2}', { ...first, "x-github-delivery": "2" })).body).toMatchObject({ status: "accepted" });
  expect((await routed("recorded.push")).length).toBe(2);
  expect(await routed("recorded.ping")).toEqual([]);
});

test("numbers pass as they came, and ids, where and bounds compare them exactly", async () => {
  await put("/sources/numbers", {
    scheme: "hmac",
    secrets: ["it-is-a-secret"],
    signature: { header: "x-sign" },
    type: { pointer: "/type" },
    id: { pointer: "/id" },
  });
  const hook = (id: string): Promise<Answer> => {
    const body = `{"type":"made","id":${id},"price":1.10}`;
    const sign = createHmac("sha256", "it-is-a-secret").update(body).digest("hex");
    return send("POST", "/events/numbers", body, { "x-sign": sign });
  };
  const route =
    '{"match":{"type":"numbers.*","where":{"/data/id":9007199254740993}},"to":[{"sink":"redis","stream":"exact"}]}';
  expect((await put("/routes/exact", route)).text).toContain('"/data/id":9007199254740993');
  expect((await send("GET", "/routes/exact", undefined)).text).toContain('"/data/id":9007199254740993');
  expect((await send("GET", "/routes", undefined)).text).toContain('"/data/id":9007199254740993');
  expect((await hook("9007199254740992")).body).toMatchObject({ id: "9007199254740992", status: "accepted" });
  expect((await hook("9007199254740993")).body).toMatchObject({ id: "9007199254740993", status: "accepted" });
  expect((await hook("9007199254740993")).body).toMatchObject({ status: "duplicate" });
  const made = await routed("numbers.made");
  expect(made.map(({ body }) => /"data":(\{[^}]*\})/.exec(body)?.[1])).toContain(
    '{"type":"made","id":9007199254740993,"price":1.10}',
  );
  expect(made.filter(({ body }) => body.includes('"stream":"exact"')).map(({ body }) => body)).toEqual([
    expect.stringContaining('"id":9007199254740993'),
  ]);

  await put("/schemas/bounded", '{"properties":{"n":{"maximum":9007199254740993}}}');
  expect((await send("GET", "/schemas/bounded", undefined)).text).toContain('"maximum":9007199254740993');
  expect((await post('{"type":"bounded","data":{"n":9007199254740993}}')).status).toBe(202);
  expect(codeOf(await post('{"type":"bounded","data":{"n":9007199254740994}}'))).toBe("422 event.schema_violation");
  const letters = await send("GET", "/dead-letters?type=bounded", undefined);
  const [{ id } = { id: "" }] = letters.body.items as { id: string }[];
  const path = `/dead-letters/${encodeURIComponent(id)}`;
  expect((await send("GET", path, undefined)).text).toContain('"data":{"n":9007199254740994}');
  expect(codeOf(await send("PATCH", path, '{"data":{"n":9007199254740995}}'))).toBe("422 event.schema_violation");
  expect((await send("PATCH", path, '{"data":{"n":9007199254740991.5}}')).text).toContain(
    '"data":{"n":9007199254740991.5}',
  );
  expect((await send("POST", `${path}/replay`, undefined)).body).toMatchObject({ replayed: [id] });
  expect((await routed("bounded")).some(({ body }) => body.includes('"data":{"n":9007199254740991.5}'))).toBe(true);
});

test("every place that does not fit is told at once, with what is expected and what came", async () => {
  await put("/schemas/strict", { properties: { a: { type: "string" }, b: { minimum: 3 } }, required: ["c"] });
  const refused = await post({ type: "strict", data: { a: 1, b: 2 } });
  expect(refused.body.errors).toEqual([
    { path: "/data/a", message: "must be string", expected: "string", received: "1" },
    { path: "/data/b", message: "must be at least 3", expected: "at least 3", received: "2" },
    { path: "/data", message: 'must have the member "c"', expected: 'the member "c"', received: "an object" },
  ]);
  const bad = await put("/schemas/bad", { $async: true, properties: { a: { nullable: true, format: "x" } } });
  expect(codeOf(bad)).toBe("422 schema.invalid");
  expect(bad.body.errors?.map(({ path }) => path)).toEqual(["/$async", "/properties/a/nullable"]);
});

test("any type is taken, and a schema and a route can be about it", async () => {
  for (const type of [
    "orders/create",
    "repo:push",
    "Push Hook",
    "https://example.com/made?a=b#c",
    "größe.geändert",
    "a%2Fb",
    "*",
  ]) {
    const path = `/schemas/${encodeURIComponent(type)}`;
    expect([type, (await put(path, { type: "object" })).status]).toEqual([type, 200]);
    expect((await send("GET", path, undefined)).body).toMatchObject({ type });
    expect((await put("/routes/odd", { match: { type }, to: [{ sink: "redis", stream: "odd" }] })).status).toBeLessThan(
      300,
    );
    expect([type, (await post(cloudEvent({ type, data: {} }))).status]).toEqual([type, 202]);
    expect(codeOf(await post(cloudEvent({ type, data: 1 })))).toBe("422 event.schema_violation");
    expect((await routed(type)).map(({ body }) => body)).toEqual([expect.stringContaining('"stream":"odd"')]);
  }
  for (const type of ["", "a\nb", "a\u0000", "x".repeat(201), "ü".repeat(200)])
    expect([400, 422]).toContain((await post(cloudEvent({ type }))).status);
});

test("times are those of RFC 3339, in events and in filters", async () => {
  for (const time of [
    "2026-01-31T12:00:00Z",
    "2026-01-31t12:00:00.123456789z",
    "2016-12-31T23:59:60Z",
    "2026-01-31T12:00:00-08:00",
  ]) {
    expect([time, (await post(cloudEvent({ time }))).status]).toEqual([time, 202]);
    expect((await send("GET", `/dead-letters?from=${encodeURIComponent(time)}`, undefined)).status).toBe(200);
  }
  for (const time of [
    "2026-02-30T12:00:00Z",
    "2026-01-31T12:00:00",
    "2026-01-31",
    "yesterday",
    "2026-01-31T25:00:00Z",
  ]) {
    expect([time, codeOf(await post(cloudEvent({ time })))]).toEqual([time, "422 invalid_input"]);
    expect((await send("GET", `/dead-letters?from=${encodeURIComponent(time)}`, undefined)).status).toBe(422);
    expect(codeOf(await send("POST", "/dead-letters/replay", JSON.stringify({ filter: { from: time } })))).toBe(
      "422 invalid_input",
    );
  }
});

test("headers of binary mode are unescaped, and what is not ASCII in them is refused", async () => {
  const binary = (more: Readonly<Record<string, string>>): Promise<Answer> =>
    post('{"a":1}', {
      "ce-specversion": "1.0",
      "ce-id": crypto.randomUUID(),
      "ce-source": "/demo",
      "ce-type": "binary",
      ...more,
    });
  for (const [index, [value, text]] of [
    ['"quoted \\"text\\""', 'quoted "text"'],
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ['a "b\\\\c" d', "a b\\c d"],
    ['"%22"', '"'],
    ["plain", "plain"],
  ].entries()) {
    expect((await binary({ "ce-ext": value ?? "", "ce-subject": `s${index}` })).status).toBe(202);
    const record = (await routed("binary")).find(({ body }) => body.includes(`"subject":"s${index}"`));
    expect((JSON.parse(record?.body ?? "{}") as { event: { ext: string } }).event.ext).toBe(text ?? "");
  }
  for (const value of ["größe", '"open', "%zz", "%ff"])
    expect([value, (await binary({ "ce-ext": value })).status]).toEqual([value, 422]);
});

test("data and data_base64 never leave together, and no extension has the name of an attribute", async () => {
  for (const more of [{ data: null }, { data: {} }, { data: 0 }])
    expect(codeOf(await post(cloudEvent({ data_base64: "AA==", ...more })))).toBe("422 invalid_input");
  const named = {
    "ce-specversion": "1.0",
    "ce-id": "x",
    "ce-source": "/demo",
    "ce-type": "both",
    "content-type": "text/plain",
  };
  expect(codeOf(await post("bytes", { ...named, "ce-data": "text" }))).toBe("422 invalid_input");
  expect((await post("bytes", named)).status).toBe(202);
  expect((await post(cloudEvent({ type: "both", averyveryverylongextensionname: "a" }))).status).toBe(202);
  for (const { body } of await routed("both")) {
    const { event } = JSON.parse(body) as { event: object };
    expect("data" in event && "data_base64" in event).toBe(false);
  }
});

test("names of a query that no route knows are refused", async () => {
  for (const path of ["/dead-letters?limt=3", "/schemas/strict?versio=1", "/routes?page=2", "/routes/exact?a=b"])
    expect([path, codeOf(await send("GET", path, undefined))]).toEqual([path, "422 invalid_input"]);
  expect(codeOf(await send("POST", "/events?a=b", '{"type":"a"}'))).toBe("422 invalid_input");
});

test("a list is refused where a map is meant", async () => {
  const to = [{ sink: "redis", stream: "a" }];
  for (const [path, body] of [
    ["/routes/lists", { match: { type: "a", where: [] }, to }],
    ["/routes/lists", { match: [], to }],
    ["/routes/lists", { match: { type: "a" }, to: [[]] }],
    ["/sources/lists", { scheme: "github", secrets: ["12345678"], types: [] }],
    ["/sources/lists", { scheme: "github", secrets: ["12345678"], id: [] }],
    ["/schemas/lists", []],
    ["/schemas/lists", { properties: [] }],
  ] as const)
    expect([path, body, (await put(path, body)).status]).toEqual([path, body, 422]);
  for (const [path, body] of [
    ["/dead-letters/replay", { filter: [] }],
    ["/dead-letters/replay", []],
    ["/endpoints", []],
    ["/events", []],
  ] as const)
    expect([path, body, (await send("POST", path, JSON.stringify(body))).status]).toEqual([path, body, 422]);
});

test("numbers of any kind in any place are answered, and never by a fault of ours", async () => {
  for (const number of ["1e400", "-0", "1.0", "9007199254740993", "1".repeat(400), "1e-999", "0.1000"])
    for (const [method, path] of [
      ["PUT", "/routes/odd-number"],
      ["PUT", "/schemas/odd-number"],
      ["PATCH", "/dead-letters/x"],
      ["POST", "/events"],
      ["PUT", "/sources/odd-number"],
    ] as const)
      for (const body of [
        number,
        `[${number}]`,
        `{"a":${number}}`,
        `{"data":${number}}`,
        `{"match":${number},"to":[${number}]}`,
        `{"match":{"type":${number},"where":${number}},"to":[{"sink":${number}}],"enabled":${number}}`,
        `{"type":${number},"id":${number}}`,
        `{"specversion":${number},"time":${number}}`,
        `{"properties":${number},"minimum":"a"}`,
        `{"required":[${number}],"type":${number},"$ref":${number},"items":${number}}`,
        `{"maximum":${number},"multipleOf":${number},"maxLength":${number},"enum":[${number}],"default":${number}}`,
      ]) {
        const { status } = await send(method, path, body);
        expect([method, path, body.slice(0, 80), status < 500]).toEqual([method, path, body.slice(0, 80), true]);
      }
});

test("events that come together are a commit a lane, each with a reply and a record, and each makes few objects", async () => {
  const AT_ONCE = 64;
  const TYPE = "cost.made";
  await put(`/schemas/${TYPE}`, { type: "object", properties: { n: { type: "number" } }, required: ["n"] });
  await put("/routes/cost", { match: { type: "cost.*" }, to: [{ sink: "nats", subject: "cost.made" }] });
  expect(codeOf(await post({ type: TYPE, data: {} }))).toBe("422 event.schema_violation");
  let next = 0;
  const all = async (): Promise<void> => {
    const events = Array.from({ length: AT_ONCE }, () => ({
      type: TYPE,
      id: `c${next++}`,
      data: { n: 1, tags: ["a"] },
    }));
    const answers = await Promise.all(events.map((event) => post(event)));
    expect(answers.every(({ status }) => status === 202)).toBe(true);
  };
  for (let i = 0; i < 16; i++) await all();

  const commits = spyOn(store, "commit");
  await all();
  const batches = commits.mock.calls.map(([, batch]) => batch);
  commits.mockRestore();
  expect(batches.length).toBeLessThanOrEqual(4);
  const records = batches.flatMap(({ outbox }) => outbox.filter(({ target }) => target.startsWith("nats:cost.made:")));
  const replies = batches.flatMap((batch) => batch.replies);
  expect([replies.length, records.length]).toEqual([AT_ONCE, AT_ONCE]);

  // An inbox holds no state: it is written when the inbox comes into being, and never again.
  for (const id of ["first", "second"]) await post({ type: TYPE, id, subject: "one-inbox", data: { n: 1 } });
  const later = spyOn(store, "commit");
  await post({ type: TYPE, id: "third", subject: "one-inbox", data: { n: 1 } });
  expect(later.mock.calls.map(([, batch]) => [batch.states.length, batch.replies.length])).toEqual([[0, 1]]);
  later.mockRestore();

  let most = 0;
  for (let tries = 0; tries < 3; tries++) {
    Bun.gc(true);
    const before = objects();
    for (let i = 0; i < 8; i++) await all();
    most = Math.max(most, (objects() - before) / (8 * AT_ONCE));
  }
  expect(most).toBeLessThan(300);
});

/** Objects on the heap, dead ones that were not collected yet among them: the same number on every machine. */
function objects(): number {
  return Object.values(heapStats().objectTypeCounts).reduce((sum, count) => sum + count, 0);
}
