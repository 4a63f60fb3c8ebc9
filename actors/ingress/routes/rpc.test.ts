import { afterEach, beforeEach, expect, test } from "bun:test";
import * as v from "valibot";
import { shopActors } from "#actors/shop/actors.ts";
import { connect } from "#infra/client/mod.ts";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { createIngress, type Ingress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const Clerk = actor("clerk", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  messages: ({ command, query }) => ({
    note: command({ in: v.object({ text: v.string() }), out: v.number() }, (c, { text }) => c.state.notes.push(text)),
    never: command({}, (c) => c.refuse("too_busy", { secret: "canary" })),
    count: query({ out: v.number() }, (c) => c.state.notes.length),
  }),
});
const Vault = actor("vault", {
  state: v.object({}),
  initial: () => ({}),
  messages: ({ query }) => ({ look: query({ out: v.string() }, () => "canary") }),
});

let troupe: Troupe;
let app: Ingress;

beforeEach(async () => {
  troupe = await createTroupe({ actors: [Clerk, Vault], stores: { default: memory() } });
  app = createIngress(stubDeps({ troupe: () => troupe, rpc: [Clerk] }));
});
afterEach(() => troupe.stop());

const client = () =>
  connect<{ clerk: typeof Clerk; vault: typeof Vault }>("http://localhost/rpc", { fetch: app.handle });

test("the typed client speaks to the actors that are listed", async () => {
  const clerk = client().ref("clerk", "a/b");
  expect(await clerk.note({ text: "one" })).toBe(1);
  expect(await clerk.count()).toBe(1);
  for await (const { state, version } of client().watch("clerk", "a/b")) {
    expect([state.notes, version]).toEqual([["one"], 1]);
    break;
  }
});

test("an actor that is not listed is not there, nor is a message that does not exist", async () => {
  for (const path of ["/rpc/vault/a/look", "/rpc/clerk/a/nothing", "/rpc/clerk/a", "/rpc"]) {
    const response = await app.handle(new Request(`http://localhost${path}`, { method: "POST" }));
    expect([path, response.status]).toEqual([path, 404]);
    expect(await response.text()).not.toContain("canary");
  }
});

test("a refusal says its reason, and keeps its data to itself", async () => {
  const response = await app.handle(new Request("http://localhost/rpc/clerk/a/never", { method: "POST" }));
  const body = (await response.json()) as Record<string, unknown>;
  expect([response.status, body["code"], body["reason"]]).toEqual([409, "clerk.too_busy", "too_busy"]);
  expect(JSON.stringify(body)).not.toContain("canary");
});

test("the routes stand in the OpenAPI document, for admin alone", async () => {
  const response = await app.handle(new Request("http://localhost/openapi/json"));
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, Record<string, unknown>>> };
  expect(Object.keys(paths).filter((path) => path.startsWith("/rpc"))).toEqual([
    "/rpc/clerk/{key}/note",
    "/rpc/clerk/{key}/never",
    "/rpc/clerk/{key}/count",
    "/rpc/clerk/{key}/watch",
    "/rpc/batch",
    "/rpc/socket",
  ]);
  expect(paths["/rpc/batch"]?.["post"]).toMatchObject({ "x-scope": "admin" });
  expect(paths["/rpc/clerk/{key}/note"]?.["post"]).toMatchObject({ "x-scope": "admin" });
});

test("the shop's actors can all be described", async () => {
  const shop = createIngress(stubDeps({ rpc: shopActors() }));
  const response = await shop.handle(new Request("http://localhost/openapi/json"));
  const { paths } = (await response.json()) as { paths: Record<string, unknown> };
  for (const { type } of shopActors()) expect(Object.keys(paths)).toContain(`/rpc/${type}/{key}/watch`);
});
