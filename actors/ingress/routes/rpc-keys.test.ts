import { afterEach, beforeEach, expect, test } from "bun:test";
import * as v from "valibot";
import { Guard } from "#actors/access/guard/guard.ts";
import { KeyDirectory } from "#actors/access/guard/key-directory.ts";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { CallError, connect } from "#infra/client/mod.ts";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { createIngress, type Ingress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const ADMIN = "admin-key-of-these-tests-0123456789";

const Clerk = actor("clerk", {
  state: v.object({ notes: v.number() }),
  initial: () => ({ notes: 0 }),
  messages: ({ command, query }) => ({
    note: command({ out: v.number() }, (c) => ++c.state.notes),
    count: query({ out: v.number() }, (c) => c.state.notes),
  }),
});

let troupe: Troupe;
let app: Ingress;
let directory: KeyDirectory;

beforeEach(async () => {
  troupe = await createTroupe({ actors: [Clerk, Keyring], stores: { default: memory() } });
  directory = new KeyDirectory({ adminKey: ADMIN, read: (since) => troupe.ref(Keyring, "main").table({ since }) });
  const guard = new Guard({ authenticate: (secret) => directory.find(secret) });
  app = createIngress(stubDeps({ troupe: () => troupe, rpc: [Clerk], guard }));
});
afterEach(() => troupe.stop());

function ask(method: string, path: string, key?: string, body?: unknown): Promise<Response> {
  const headers = {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { "content-type": "application/json" }),
  };
  return app.handle(
    new Request(`http://localhost${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }),
  );
}

async function makeKey(...scopes: string[]): Promise<{ readonly id: string; readonly key: string }> {
  const response = await ask("POST", "/keys", ADMIN, { name: "test", scopes });
  directory.changed();
  return (await response.json()) as { id: string; key: string };
}

const clerk = (key: string) =>
  connect<{ clerk: typeof Clerk }>("http://localhost/rpc", { fetch: app.handle, auth: key }).ref("clerk", "a");

test("every route of the typed door is shut without a key, with a wrong one, and with a key for something else", async () => {
  const others = await makeKey("orders", "events", "services");
  const routes = app.routes.filter(({ path }) => path.startsWith("/rpc/"));
  expect(routes.map(({ path }) => path)).toEqual([
    "/rpc/clerk/:key/note",
    "/rpc/clerk/:key/count",
    "/rpc/clerk/:key/watch",
    "/rpc/batch",
    "/rpc/socket",
  ]);
  for (const { method, path } of routes) {
    const at = path.replace(":key", "a");
    const statuses: unknown[] = [];
    for (const key of [undefined, "", "tk_wrong", `${ADMIN}x`, others.key]) {
      const { status, headers } = await ask(method, at, key);
      statuses.push([status, headers.get("content-type")]);
    }
    const problem = "application/problem+json";
    expect([at, statuses]).toEqual([
      at,
      [
        [401, problem],
        [401, problem],
        [401, problem],
        [401, problem],
        [403, problem],
      ],
    ]);
  }
  expect(await troupe.ref(Clerk, "a").count()).toBe(0);
});

test("what the door does not show looks the same to a stranger as what it does", async () => {
  for (const path of ["/rpc/clerk/a/note", "/rpc/clerk/a/nothing", "/rpc/vault/a/look", "/rpc/batch", "/rpc/socket"]) {
    expect([path, (await ask("POST", path)).status]).toEqual([path, 401]);
  }
});

test("a batch is answered call by call, each as its key's, and with what is refused alone", async () => {
  const { key } = await makeKey("admin");
  const calls = [
    { id: 1, call: ["clerk", "a", "note"], key: "same" },
    { id: 2, call: ["clerk", "a", "note"], key: "same" },
    { id: 3, call: ["vault", "a", "look"] },
  ];
  const response = await ask("POST", "/rpc/batch", key, calls);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
  const lines = (await response.text()).trim().split("\n");
  const answers = lines.map((line) => JSON.parse(line) as { id: number; status: number; body?: unknown });
  expect(answers.toSorted((a, b) => a.id - b.id).map(({ status, body }) => [status, body])).toEqual([
    [200, 1],
    [200, 1],
    [404, undefined],
  ]);
  expect((await ask("POST", "/rpc/batch", key, [])).status).toBe(400);
});

test("a key for admin opens it until it is revoked, and its ids are its own", async () => {
  const [one, two] = [await makeKey("admin"), await makeKey("admin")];
  expect(await clerk(one.key).note(undefined, { id: "same" })).toBe(1);
  expect(await clerk(one.key).note(undefined, { id: "same" })).toBe(1);
  expect(await clerk(two.key).note(undefined, { id: "same" })).toBe(2);
  expect((await ask("DELETE", `/keys/${one.id}`, ADMIN)).ok).toBe(true);
  directory.changed();
  const error: unknown = await clerk(one.key)
    .note()
    .catch((thrown: unknown) => thrown);
  expect(error instanceof CallError && [error.status, error.code]).toEqual([401, "key.invalid"]);
  expect(await clerk(two.key).count()).toBe(2);
});
