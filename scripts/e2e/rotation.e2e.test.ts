import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createHmac } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Docker from "dockerode";
import postgres from "postgres";
import { Webhook } from "standardwebhooks";
import { pause } from "#infra/base/pause.ts";
import { LABELS } from "#infra/engines/identity.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Answer, AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { insist } from "./shop.ts";

setDefaultTimeout(400_000);

const WITHIN_MS = 90_000;
/** Between two rounds of the clients: four requests each. */
const EVERY_MS = 250;
/** Of so many rounds one places an order: a saga is more work than all the rest. */
const ROUNDS_PER_ORDER = 10;
/** Between two answers to a client that sends all the time: what a person would call a pause. */
const PAUSE_MS = 5_000;
const ADMIN = "first-admin-key-of-the-rotation-0123";
const NEXT_ADMIN = "second-admin-key-of-the-rotation-012";
const SERVICE = `
services:
  web:
    image: troupe/echo:1
    replicas: 2
    env: { GREETING: { secret: greeting } }
    ports: [8080]
    health: { http: /health, port: 8080, interval: 500ms, timeout: 1s, retries: 3, startPeriod: 5s }
    update: { order: start-first, maxSurge: 1, maxUnavailable: 0 }
`;

let harness: Harness;
let receiver: Bun.Server<never>;
let docker: Docker;
let data: string;
let server: URL;
let nodes: AppProcess[] = [];
let admin = ADMIN;
/** The numbers of the events that were delivered. */
const received = new Set<number>();
const unverified: string[] = [];
/** Called with the headers and the body of a delivery: what the partner knows it by. */
let verify: (headers: Record<string, string>, body: string) => void = () => undefined;

beforeAll(async () => {
  const host = await testServer("docker");
  server = new URL(await testServer("postgres"));
  docker = new Docker({ socketPath: host.replace("unix://", "") });
  data = await mkdtemp(join(tmpdir(), "troupe-rotation-"));
  harness = await openHarness({
    environment: {
      ...{ TROUPE_AUTH: "on", WEBHOOK_ALLOW_PRIVATE: "on", TROUPE_STOP_GRACE: "500ms" },
      ...{ TROUPE_ROLES: "ingress,actors,workflows,scaler", DOCKER_HOST: host, TROUPE_HOST: "here", TROUPE_DATA: data },
    },
  });
  receiver = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const [headers, body] = [Object.fromEntries(request.headers), await request.text()];
      try {
        verify(headers, body);
      } catch (error) {
        unverified.push(String(error));
        return new Response(null, { status: 401 });
      }
      received.add((JSON.parse(body) as { data: { n: number } }).data.n);
      return new Response();
    },
  });
}, 180_000);
afterAll(async () => {
  await receiver?.stop(true);
  await harness?.[Symbol.asyncDispose]();
  const filters = { label: [`${LABELS.cluster}=${harness?.cluster}`] };
  const left = await docker.listContainers({ all: true, filters });
  await Promise.allSettled(left.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
  await rm(data, { recursive: true, force: true });
  await asOwner((sql) => sql.unsafe(`drop role if exists "${databaseUser()}"`));
}, 90_000);

/** Sends to whichever node is there, until one answers: what a load balancer and a careful client do. */
function send(method: string, path: string, body?: unknown, key = admin): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "idempotency-key": crypto.randomUUID(),
  };
  const text = body === undefined ? undefined : JSON.stringify(body);
  return anyNode((node) => node.send(method, path, text, headers));
}

let asked = 0;
function anyNode(ask: (node: AppProcess) => Promise<Answer>): Promise<Answer> {
  return insist(() => ask(nodes[asked++ % nodes.length] as AppProcess), WITHIN_MS);
}

/** As {@link send}, for what has to be done. */
async function done<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await send(method, path, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

/** A webhook as GitHub signs it. Its content says which it is: the same content again would be a repeat. */
function webhook(secret: string, n: number): Promise<Answer> {
  const body = JSON.stringify({ action: "opened", n });
  const headers = {
    "content-type": "application/json",
    "x-github-event": "push",
    "x-github-delivery": crypto.randomUUID(),
    "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`,
  };
  return anyNode((node) => node.send("POST", "/events/hub", body, headers));
}

/** Replaces the nodes one by one by nodes with these settings, as `infra/docs/how-to/rotate.md` has it. */
async function restartedWith(settings: Readonly<Record<string, string>>): Promise<void> {
  for (const old of [...nodes]) {
    const fresh = await harness.start(settings).ready();
    nodes = [...nodes.filter((node) => node !== old), fresh];
    const code = await old.stop();
    expect([code, code === 0 ? "" : old.log()]).toEqual([0, ""]);
  }
}

function databaseUser(): string {
  return `rotated_${harness.cluster}`;
}

async function asOwner(run: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(server.href, { max: 1, onnotice: () => undefined });
  try {
    await run(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** A second user of the database, who may do what the first may. */
async function secondDatabaseUser(): Promise<string> {
  const url = new URL(server);
  [url.username, url.password] = [databaseUser(), crypto.randomUUID()];
  await asOwner((sql) => sql.unsafe(`create role "${url.username}" login superuser password '${url.password}'`));
  return url.href;
}

/** The runs that are open now and began before `time`. */
async function runsFrom(time: string): Promise<readonly string[]> {
  interface Page {
    readonly items: readonly { readonly workflowId: string; readonly startedAt: string }[];
    readonly next: string | null;
  }
  const old: string[] = [];
  let cursor = "";
  do {
    const page = await done<Page>("GET", `/workflows?status=RUNNING&limit=100${cursor}`);
    old.push(...page.items.filter(({ startedAt }) => startedAt < time).map(({ workflowId }) => workflowId));
    cursor = page.next === null ? "" : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== "");
  return old;
}

function newSealingKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64");
}

/** What the clients of the system saw. */
class Clients {
  apiKey: string;
  sourceSecret: string;
  readonly refused: string[] = [];
  readonly orders: string[] = [];
  readonly sent: number[] = [];
  readonly greetings = new Set<string>();
  rounds = 0;
  /** Milliseconds between two answers to the same client, at most. */
  longest = 0;
  #over = false;
  readonly #ended: Promise<unknown>;

  constructor(apiKey: string, sourceSecret: string) {
    this.apiKey = apiKey;
    this.sourceSecret = sourceSecret;
    this.#ended = Promise.all([this.#client(() => this.#shop()), this.#client(() => this.#service())]);
    this.#ended.catch(() => undefined);
  }

  /** Resolves once they had some more rounds. */
  async further(): Promise<void> {
    const enough = this.rounds + 6;
    await eventually("further requests are answered", WITHIN_MS, async () => this.rounds >= enough);
  }

  /** Their last round is over. */
  async stop(): Promise<void> {
    this.#over = true;
    await this.#ended;
  }

  async #client(round: () => Promise<void>): Promise<void> {
    for (let last = performance.now(); !this.#over; last = performance.now()) {
      await round();
      this.longest = Math.max(this.longest, performance.now() - last);
      this.rounds++;
      await pause(EVERY_MS);
    }
  }

  async #shop(): Promise<void> {
    const n = this.sent.length;
    const [list, hook] = [
      await send("GET", "/orders?limit=1", undefined, this.apiKey),
      await webhook(this.sourceSecret, n),
    ];
    this.#see(list, 200);
    if (this.#see(hook, 202)) this.sent.push(n);
    if (n % ROUNDS_PER_ORDER !== 0) return;
    const order = await send("POST", "/orders", { amount: 100 }, this.apiKey);
    if (this.#see(order, 201)) this.orders.push((order.body as { orderId: string }).orderId);
  }

  async #service(): Promise<void> {
    const answer = await send("GET", "/s/web/");
    if (this.#see(answer, 200)) this.greetings.add((answer.body as { greeting: string }).greeting);
  }

  #see({ status, body }: Answer, good: number): boolean {
    if (status !== good) this.refused.push(`${status} ${JSON.stringify(body)}`);
    return status === good;
  }
}

test("every secret is rotated under load without a pause: nothing is refused, and nothing is lost", async () => {
  const [sealing, nextSealing] = [newSealingKey(), newSealingKey()];
  const begin = { TROUPE_ADMIN_KEY: ADMIN, TROUPE_SECRET_KEY: sealing };
  nodes = await Promise.all([harness.start(begin).ready(), harness.start(begin).ready()]);

  const { id: keyId, key } = await done<{ id: string; key: string }>("POST", "/keys", {
    ...{ name: "clients", scopes: ["orders", "events"] },
  });
  const source = (...secrets: string[]) => done("PUT", "/sources/hub", { scheme: "github", secrets });
  await source("source-secret-1");
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const endpoint = await done<{ id: string; secret: string }>("POST", "/endpoints", { url });
  verify = (headers, body) => void new Webhook(endpoint.secret).verify(body, headers);
  await done("PUT", "/routes/all", { match: { type: "hub.*" }, to: [{ endpoint: endpoint.id }] });
  await done("PUT", "/secrets/greeting", { value: "greeting-1" });
  const yaml = { authorization: `Bearer ${admin}`, "content-type": "application/yaml" };
  expect((await anyNode((node) => node.send("POST", "/config", SERVICE, yaml))).status).toBe(202);
  await eventually("the service serves at both nodes", WITHIN_MS, async () => {
    const answers = await Promise.all(nodes.map((node) => node.send("GET", "/s/web/", undefined, yaml)));
    return answers.every(({ status }) => status === 200);
  });

  const clients = new Clients(key, "source-secret-1");
  try {
    await clients.further();

    // The API key of the clients: both are good until the overlap is over.
    const rotated = await done<{ key: string }>("POST", `/keys/${keyId}/rotate`, { overlap: "3s" });
    await clients.further();
    clients.apiKey = rotated.key;
    await eventually("the old key has ended", WITHIN_MS, async () => {
      return (await send("GET", "/orders?limit=1", undefined, key)).status === 401;
    });

    // The secret of a source: the new one beside the old one, then alone.
    await source("source-secret-2", "source-secret-1");
    await clients.further();
    clients.sourceSecret = "source-secret-2";
    await clients.further();
    await source("source-secret-2");
    await eventually("the old secret signs nothing", WITHIN_MS, async () => {
      return (await webhook("source-secret-1", -1)).status === 401;
    });

    // The secret of an endpoint: a delivery carries both signatures, so that the partner changes to the new one when it likes.
    const rotate = (overlap: string): Promise<{ secret: string }> =>
      done("POST", `/endpoints/${endpoint.id}/rotate-secret`, { overlap });
    const next = await rotate("1h");
    let both = 0;
    verify = (headers, body) => {
      new Webhook(endpoint.secret).verify(body, headers);
      if (verifies(next.secret, headers, body)) both++;
    };
    await eventually("deliveries are signed with both", WITHIN_MS, async () => both >= 5);
    verify = (headers, body) => void new Webhook(next.secret).verify(body, headers);
    await clients.further();

    // The secret of a service: its containers are replaced one by one.
    const greeted = async (greeting: string): Promise<void> => {
      await done("PUT", "/secrets/greeting", { value: greeting });
      await done("POST", "/services/web/restart");
      await eventually(`the service greets with ${greeting}`, WITHIN_MS, async () => clients.greetings.has(greeting));
      await eventually("the restart is through", WITHIN_MS, async () => {
        return (await done<{ status: string }>("GET", "/services/web")).status === "converged";
      });
    };
    await greeted("greeting-2");

    // The admin key of the environment: a made one is good at every process meanwhile.
    admin = (await done<{ key: string }>("POST", "/keys", { name: "meanwhile", scopes: ["admin"] })).key;
    // The sealing key: first everybody can open what the new one seals, and then it seals.
    await restartedWith({ TROUPE_ADMIN_KEY: NEXT_ADMIN, TROUPE_SECRET_KEY: `${sealing},${nextSealing}` });
    expect((await send("GET", "/keys", undefined, ADMIN)).status).toBe(401);
    admin = NEXT_ADMIN;
    // The user of the database goes along.
    const rest = { TROUPE_ADMIN_KEY: NEXT_ADMIN, DATABASE_URL: await secondDatabaseUser() };
    await restartedWith({ ...rest, TROUPE_SECRET_KEY: `${nextSealing},${sealing}` });
    const since = new Date().toISOString();
    // What is stored is sealed anew, and what runs comes to its end, or begins anew.
    await source("source-secret-2");
    const last = await rotate("0s");
    verify = (headers, body) => {
      // What was on its way at the rotation is signed with the one before.
      if (!verifies(next.secret, headers, body)) new Webhook(last.secret).verify(body, headers);
    };
    await greeted("greeting-3");
    let old: readonly string[] = [];
    await eventually("no run is older than the new key", WITHIN_MS, async () => {
      old = await runsFrom(since);
      return old.length === 0;
    }).catch((error: unknown) => {
      throw new Error(`These are older than the new key: ${old.join(", ")}`, { cause: error });
    });
    await restartedWith({ ...rest, TROUPE_SECRET_KEY: nextSealing });
    verify = (headers, body) => void new Webhook(last.secret).verify(body, headers);
    await clients.further();
    // The loop of the service goes on, knows its containers, and opens the secret.
    await greeted("greeting-4");
    const running = await docker.listContainers({ filters: { label: [`${LABELS.cluster}=${harness.cluster}`] } });
    expect(running.length).toBe(2);
    await clients.further();
  } finally {
    await clients.stop().catch(() => undefined);
  }

  expect([clients.refused, unverified]).toEqual([[], []]);
  expect(clients.longest).toBeLessThan(PAUSE_MS);
  await eventually("every webhook that was taken is delivered", WITHIN_MS, async () => {
    return clients.sent.every((n) => received.has(n));
  });
  let open: readonly string[] = clients.orders;
  await eventually("every order is delivered", WITHIN_MS, async () => {
    const shown = await Promise.all(open.map((id) => send("GET", `/orders/${id}`)));
    open = open.filter((_, i) => (shown[i]?.body as { status: string } | undefined)?.status !== "delivered");
    return open.length === 0;
  });
  expect((await done<{ items: unknown[] }>("GET", "/dead-letters")).items).toEqual([]);
});

function verifies(secret: string, headers: Record<string, string>, body: string): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}
