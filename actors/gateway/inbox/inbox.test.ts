import { expect, test } from "bun:test";
import type { NamedRoute } from "#actors/gateway/route/messages.ts";
import { createTroupe, memory, type OutboxRecord, PARTITION_COUNT, type RefusedError, type Store } from "#runtime";
import { createInbox, Inbox, inboxOf, type InboxPorts, messageIdOf } from "./inbox.ts";
import type { GatewayEvent } from "./messages.ts";

const event: GatewayEvent = { id: "1", source: "/demo", type: "demo.made", data: { n: 1 }, extensions: { myext: "x" } };
const routes: NamedRoute[] = [
  {
    name: "a",
    match: { type: "demo.*" },
    to: [{ sink: "kafka", topic: "demo" }, { endpoint: "ep_00000000-0000-7000-8000-000000000000" }],
    enabled: true,
  },
];

async function gateway(ports: Partial<InboxPorts> = {}) {
  const store = memory();
  const usual: InboxPorts = { routes: () => routes, check: async () => undefined, retriesMs: [5_000] };
  // Not spread: what a port says may change.
  const inbox = createInbox(Object.create(usual, Object.getOwnPropertyDescriptors(ports)) as InboxPorts);
  const troupe = await createTroupe({ actors: [inbox], stores: { default: store } });
  const accept = (given: GatewayEvent) =>
    troupe.ref(Inbox, inboxOf(given)).accept({ event: given }, { id: messageIdOf(given) });
  return { store, accept, [Symbol.asyncDispose]: () => troupe.stop() };
}

async function left(store: Store, kind: "routed" | "workflow"): Promise<readonly OutboxRecord[]> {
  return store.readOutbox(
    kind,
    Array.from({ length: PARTITION_COUNT }, (_, partition) => ({ partition, after: 0 })),
    100,
  );
}

test("inbox.accept() leaves one record per place in one commit: the event to brokers, a workflow for an endpoint", async () => {
  await using g = await gateway();
  expect(await g.accept(event)).toMatchObject({ id: "1", destinations: 2 });
  const [record] = await left(g.store, "routed");
  expect(record).toMatchObject({ name: "demo.made", target: "kafka:demo:1" });
  expect(JSON.parse(record?.body ?? "")).toMatchObject({
    to: { sink: "kafka", topic: "demo" },
    key: "1",
    event: { specversion: "1.0", id: "1", source: "/demo", type: "demo.made", myext: "x", data: { n: 1 } },
  });
  const [start] = await left(g.store, "workflow");
  expect(start?.target).toMatch(/^deliver-webhook\/dlv_/);
});

test("inbox.accept() passes numbers on as they came, to brokers and to endpoints", async () => {
  await using g = await gateway();
  const { data: _, ...rest } = event;
  const text = '{"n":9007199254740993,"m":1.0,"x":1e400}';
  await g.accept({ ...rest, data_json: text });
  const [record] = await left(g.store, "routed");
  expect(record?.body).toContain(`"data":${text}`);
  expect(record?.body).not.toContain("data_json");
  const [start] = await left(g.store, "workflow");
  const request = JSON.parse(start?.body ?? "") as { start: { args: { event: Record<string, unknown> }[] } };
  expect(request.start.args[0]?.event).toMatchObject({ data_json: text });
  expect(request.start.args[0]?.event).not.toHaveProperty("data");
  expect(g.accept({ ...rest, data_json: text.replace("993", "992") })).rejects.toMatchObject({
    code: "message_id_reused",
  });
});

test("events of different sources are different, whatever stands in their sources and ids", () => {
  const all = [
    ["/a", "1"],
    ["/b", "1"],
    ["a", "b 1"],
    ["a b", "1"],
    ["/a", "ü"],
    ["/a", "x".repeat(190)],
  ] as const;
  expect(new Set(all.map(([source, id]) => messageIdOf({ source, id }))).size).toBe(all.length);
});

test("inbox.accept() takes an event once", async () => {
  await using g = await gateway();
  await g.accept(event);
  await g.accept(event);
  expect((await left(g.store, "routed")).length).toBe(1);
  expect(g.accept({ ...event, data: { n: 2 } })).rejects.toMatchObject({ code: "message_id_reused" });
});

test("inbox.accept() keeps an event that no route matches", async () => {
  await using g = await gateway({ routes: () => [] });
  expect(await g.accept(event)).toMatchObject({ destinations: 0 });
  expect(JSON.parse((await left(g.store, "routed"))[0]?.body ?? "")).toMatchObject({ to: null, event: { id: "1" } });
});

test("inbox.accept() sends an event that no route matches where it is told to, and no other there (X3)", async () => {
  let known = routes;
  await using g = await gateway({ routes: () => known, unrouted: () => [{ sink: "rabbitmq", exchange: "spare" }] });
  await g.accept(event);
  known = [];
  expect(await g.accept({ ...event, id: "2" })).toMatchObject({ destinations: 1 });
  const targets = (await left(g.store, "routed")).map(({ target }) => target);
  expect(targets.toSorted()).toEqual(["kafka:demo:1", "rabbitmq:spare:2"]);
});

test("inbox.accept() starts a delivery with as many pauses as are in force then", async () => {
  let retriesMs = [1, 2];
  await using g = await gateway({
    get retriesMs() {
      return retriesMs;
    },
  });
  await g.accept(event);
  retriesMs = [3];
  await g.accept({ ...event, id: "2" });
  const starts = (await left(g.store, "workflow")).map(({ body }) => body);
  expect(new Set(starts.map((body) => /"retriesMs":(\[[^\]]*\])/.exec(body)?.[1]))).toEqual(new Set(["[1,2]", "[3]"]));
});

test("inbox.accept() refuses what does not fit, leaves nothing of it, and takes the same id once it fits", async () => {
  const misfit = { path: "/data", message: "must be string", expected: "string", received: "1" };
  let misfits: (typeof misfit)[] | undefined = [misfit, { ...misfit, path: "/data/a" }];
  await using g = await gateway({ check: async () => misfits });
  const refused = await g.accept(event).catch((error: RefusedError) => error);
  expect(refused).toMatchObject({ reason: "schema_violation", data: { misfits } });
  expect(await left(g.store, "routed")).toEqual([]);
  // Data that is put right under the same id is taken, and so is the same once its schema lets it in.
  expect(await g.accept({ ...event, data: { n: 2 } }).catch((error: RefusedError) => error.reason)).toBe(
    "schema_violation",
  );
  misfits = undefined;
  expect(await g.accept(event)).toMatchObject({ id: "1" });
});

test("events of one subject meet in one inbox, whatever their ids", () => {
  const keys = ["1", "2", "3"].map((id) => inboxOf({ id, source: "/demo", subject: "cart-1" }));
  expect(new Set(keys).size).toBe(1);
  expect(new Set(Array.from({ length: 500 }, (_, i) => inboxOf({ id: `${i}`, source: "/demo" }))).size).toBeGreaterThan(
    300,
  );
});
