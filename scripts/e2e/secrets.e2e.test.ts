import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import postgres from "postgres";
import { Webhook } from "standardwebhooks";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { SERVICES } from "../app/databases.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const ADMIN = "secrets-admin-key-0123456789-012345";
const SOON_MS = 30_000;
const SECRET_KEY = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");

let harness: Harness;
let receiver: Bun.Server<never>;
const received: { headers: Headers; body: string }[] = [];

beforeAll(async () => {
  const environment = { TROUPE_AUTH: "on", TROUPE_ADMIN_KEY: ADMIN, WEBHOOK_ALLOW_PRIVATE: "on" };
  harness = await openHarness({ environment });
  receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      received.push({ headers: request.headers, body: await request.text() });
      return new Response();
    },
  });
}, 180_000);
afterAll(async () => {
  await receiver?.stop(true);
  await harness?.[Symbol.asyncDispose]();
}, 60_000);

function send(app: AppProcess, method: string, path: string, body?: unknown, more = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json", ...more };
  return app.send(method, path, body === undefined ? undefined : JSON.stringify(body), headers);
}

/** A webhook as GitHub signs it. */
async function webhook(app: AppProcess, source: string, secret: string): Promise<number> {
  const body = JSON.stringify({ action: "opened" });
  const signature = createHmac("sha256", secret).update(body).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": crypto.randomUUID(),
    "x-hub-signature-256": `sha256=${signature}`,
  };
  return (await app.send("POST", `/events/${source}`, body, headers)).status;
}

/** Every row of every table of the system, as text. */
async function dump(): Promise<string> {
  const server = new URL(await testServer("postgres"));
  const rows: string[] = [];
  for (const service of SERVICES) {
    server.pathname = `/troupe_${harness.cluster}_${service}`;
    const sql = postgres(server.href, { max: 1, onnotice: () => undefined });
    const tables = await sql<{ name: string }[]>`
      select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`;
    for (const { name } of tables)
      for (const { row } of await sql.unsafe<{ row: string }[]>(`select t::text as row from ${name} t`)) rows.push(row);
    await sql.end({ timeout: 5 });
  }
  return rows.join("\n");
}

test("no dump of the databases holds a key or a secret that could be used, and all of them can be used (S33)", async () => {
  const secrets = { plain: "plain-source-secret-1", sealed: "sealed-source-secret-2" };

  const before = await harness.start({ TROUPE_ROLES: "ingress,actors" }).ready();
  expect((await send(before, "PUT", "/sources/plain", { scheme: "github", secrets: [secrets.plain] })).status).toBe(
    201,
  );
  expect(before.log()).toContain('"secrets:plain"');
  expect(await dump()).toContain(secrets.plain);
  await before.stop();

  const app = await harness.start({ TROUPE_SECRET_KEY: SECRET_KEY }).ready();
  expect(app.log()).not.toContain('"secrets:plain"');
  const { key } = (await send(app, "POST", "/keys", { name: "e2e", scopes: ["events"] })).body as { key: string };
  const sealed = { scheme: "github", secrets: [secrets.sealed] };
  expect((await send(app, "PUT", "/sources/sealed", sealed, { "idempotency-key": "s-1" })).status).toBe(201);
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const once = { "idempotency-key": "e-1" };
  const made = (await send(app, "POST", "/endpoints", { url }, once)).body as { id: string; secret: string };
  expect((await send(app, "POST", "/endpoints", { url }, once)).body).toEqual(made);
  const path = `/endpoints/${made.id}/rotate-secret`;
  const rotated = (await send(app, "POST", path, {}, { "idempotency-key": "r-1" })).body as { secret: string };
  await send(app, "PUT", "/routes/all", { match: { type: "plain.*" }, to: [{ endpoint: made.id }] });

  // What was stored before there was a key is usable, and so is what was sealed.
  expect([await webhook(app, "plain", secrets.plain), await webhook(app, "sealed", secrets.sealed)]).toEqual([
    202, 202,
  ]);
  expect(await webhook(app, "sealed", "another-secret")).toBe(401);
  const { headers, body } = await eventually("the webhook is delivered", SOON_MS, async () => received[0]);
  for (const { secret } of [made, rotated])
    expect(new Webhook(secret).verify(body, Object.fromEntries(headers))).toMatchObject({ type: "plain.push" });

  // Put again, it is sealed.
  await send(app, "PUT", "/sources/plain", { scheme: "github", secrets: [secrets.plain] });
  const text = await dump();
  expect(text).toContain("sealed:");
  const bare = [made, rotated].map(({ secret }) => secret.slice("whsec_".length));
  for (const secret of [ADMIN, key, SECRET_KEY, secrets.plain, secrets.sealed, ...bare]) {
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString("hex"));
    expect(text).not.toContain(Buffer.from(secret).toString("base64"));
  }
});
