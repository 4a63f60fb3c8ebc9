import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import postgres from "postgres";
import { Webhook } from "standardwebhooks";
import { pause } from "#infra/base/pause.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist } from "./shop.ts";

setDefaultTimeout(300_000);

const WITHIN_MS = 60_000;
const EVERY_MS = 300;
/** Of so many rounds one places an order: a saga is more work than all the rest. */
const ROUNDS_PER_ORDER = 10;
/** Between two answers to a client that sends all the time: what a person would call a pause. */
const PAUSE_MS = 5_000;
const ADMINS = ["first-admin-key-of-the-rotation-0123", "second-admin-key-of-the-rotation-012"] as const;
const newSealingKey = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");

let harness: Harness;
let receiver: Bun.Server<never>;
let nodes: AppProcess[];
let admin: string = ADMINS[0];
const received: { readonly headers: Headers; readonly body: string }[] = [];

beforeAll(async () => {
  const environment = { TROUPE_AUTH: "on", WEBHOOK_ALLOW_PRIVATE: "on", TROUPE_STOP_GRACE: "500ms" };
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

/** As {@link send}, for what has to be done. */
async function done(method: string, path: string, body?: unknown): Promise<Answer> {
  const answer = await send(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer;
}

/** Sends to whichever node is there, until one answers. */
function send(method: string, path: string, body?: unknown, key = admin): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "idempotency-key": crypto.randomUUID(),
  };
  let at = 0;
  return insist(
    () =>
      (nodes[at++ % nodes.length] as AppProcess).send(
        method,
        path,
        body === undefined ? undefined : JSON.stringify(body),
        headers,
      ),
    WITHIN_MS,
  );
}

/** A webhook as GitHub signs it. */
function webhook(secret: string): Promise<Answer> {
  const body = JSON.stringify({ action: "opened" });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": crypto.randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  return insist(() => (nodes[0] as AppProcess).send("POST", "/events/hub", body, headers), WITHIN_MS);
}

/** Replaces the nodes one by one by nodes with these settings. */
async function replaced(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const old of [...nodes]) {
    const fresh = await harness.start(settings).ready();
    nodes = [...nodes.filter((node) => node !== old), fresh];
    expect(await old.stop()).toBe(0);
  }
}

/** Another user of the database, who may do what the one before may. */
async function databaseUser(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  const server = new URL(await testServer("postgres"));
  const name = `rotated_${harness.cluster}`;
  const password = crypto.randomUUID();
  const sql = postgres(server.href, { max: 1, onnotice: () => undefined });
  await sql.unsafe(`create role "${name}" login superuser password '${password}'`);
  const url = new URL(server);
  [url.username, url.password] = [name, password];
  return {
    url: url.href,
    async drop() {
      await sql
        .unsafe(`reassign owned by "${name}" to current_user; drop owned by "${name}"; drop role "${name}"`)
        .catch(() => undefined);
      await sql.end({ timeout: 5 });
    },
  };
}

test("every secret is rotated while requests and webhooks go on: none is refused, and none has to wait for long", async () => {
  const [sealing, nextSealing] = [newSealingKey(), newSealingKey()];
  const begin = { TROUPE_ADMIN_KEY: ADMINS[0], TROUPE_SECRET_KEY: sealing };
  nodes = await Promise.all([harness.start(begin).ready(), harness.start(begin).ready()]);

  const made = (await done("POST", "/keys", { name: "clients", scopes: ["orders", "events"] })).body as {
    id: string;
    key: string;
  };
  const source = (...secrets: string[]) => done("PUT", "/sources/hub", { scheme: "github", secrets });
  await source("source-secret-1");
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const endpoint = (await done("POST", "/endpoints", { url })).body as { id: string; secret: string };
  await done("PUT", "/routes/all", { match: { type: "hub.*" }, to: [{ endpoint: endpoint.id }] });

  let [clientKey, sourceSecret] = [made.key, "source-secret-1"];
  const refused: string[] = [];
  let [over, answered, longest] = [false, 0, 0];
  const client = (async () => {
    let last = performance.now();
    for (let round = 0; !over; round++) {
      const order = (): Promise<Answer> =>
        round % ROUNDS_PER_ORDER === 0
          ? send("POST", "/orders", { amount: 100 }, clientKey)
          : send("GET", "/orders?limit=1", undefined, clientKey);
      for (const ask of [order, () => webhook(sourceSecret)]) {
        const { status, body } = await ask();
        if (status >= 300) refused.push(`${status} ${JSON.stringify(body)}`);
        const now = performance.now();
        longest = Math.max(longest, now - last);
        last = now;
        answered++;
      }
      await pause(EVERY_MS); // more would only wait in line at Temporal
    }
  })();
  client.catch(() => undefined);
  const more = async (): Promise<void> => {
    const enough = answered + 10;
    await eventually("further requests are answered", WITHIN_MS, async () => answered >= enough || undefined);
  };

  const user = await databaseUser();
  try {
    await more();

    // The API key of the clients: both are good until the overlap is over.
    const rotated = (await done("POST", `/keys/${made.id}/rotate`, { overlap: "3s" })).body as { key: string };
    await more();
    clientKey = rotated.key;
    await eventually("the old key has ended", WITHIN_MS, async () => {
      return (await send("GET", "/orders?limit=1", undefined, made.key)).status === 401 || undefined;
    });

    // The secret of a source: the new one before the old one, then alone.
    await source("source-secret-2", "source-secret-1");
    await more();
    sourceSecret = "source-secret-2";
    await more();
    await source("source-secret-2");
    await eventually("the old secret signs nothing", WITHIN_MS, async () => {
      return (await webhook("source-secret-1")).status === 401 || undefined;
    });

    // The secret of an endpoint: a delivery carries both signatures.
    const next = (await done("POST", `/endpoints/${endpoint.id}/rotate-secret`, { overlap: "1h" })).body as {
      secret: string;
    };
    await eventually(`a delivery of ${received.length} and those to come is signed with both`, WITHIN_MS, async () => {
      const { headers, body } = received.at(-1) ?? {};
      if (headers === undefined || body === undefined) return undefined;
      return [endpoint.secret, next.secret].every((secret) => verifies(secret, headers, body)) || undefined;
    });

    // The sealing key, the admin key and the database's user: process by process.
    await replaced({ TROUPE_ADMIN_KEY: ADMINS[0], TROUPE_SECRET_KEY: `${nextSealing},${sealing}` });
    await more();
    await source("source-secret-2");
    await done("POST", `/endpoints/${endpoint.id}/rotate-secret`, { overlap: "1s" });
    admin = ADMINS[0];
    await replaced({ TROUPE_ADMIN_KEY: ADMINS[1], TROUPE_SECRET_KEY: nextSealing, DATABASE_URL: user.url });
    admin = ADMINS[1];
    expect((await send("GET", "/keys", undefined, ADMINS[0])).status).toBe(401);
    expect((await send("GET", "/keys")).status).toBe(200);
    await more();
    const before = received.length;
    await eventually("webhooks are delivered with the new sealing key alone", WITHIN_MS, async () => {
      return received.length > before || undefined;
    });
  } finally {
    over = true;
    await client.catch(() => undefined);
    await Promise.allSettled(nodes.map((node) => node.stop()));
    await user.drop();
  }
  await client;
  expect(refused).toEqual([]);
  expect(longest).toBeLessThan(PAUSE_MS);
});

function verifies(secret: string, headers: Headers, body: string): boolean {
  try {
    new Webhook(secret).verify(body, Object.fromEntries(headers));
    return true;
  } catch {
    return false;
  }
}
