import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { Ticket } from "#actors/access/ticket/ticket.ts";
import { CallError, connect, type ConnectOptions } from "#infra/client/mod.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { actor, createTroupe, memory, memoryTopics, silentLog, type Troupe } from "#runtime";
import { Guard } from "../../access/guard/guard.ts";
import { KeyDirectory } from "../../access/guard/key-directory.ts";
import type { RateLimit } from "../../access/guard/rate-limiter.ts";
import { createIngress, type Ingress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";
import { type KeyWatch, watchKeys } from "./key-watch.ts";
import { createRpcSockets, type RpcSocket, type RpcSocketLimits, type RpcSockets } from "./rpc-sockets.ts";

setDefaultTimeout(30_000);
const SOON_MS = 10_000;
const ADMIN = "admin-key-of-these-tests-0123456789";
const ORIGIN = "https://shop.example";

const Clerk = actor("clerk", {
  state: v.object({ notes: v.number() }),
  initial: () => ({ notes: 0 }),
  messages: ({ command, query }) => ({
    note: command({ out: v.number() }, (c) => ++c.state.notes),
    count: query({ out: v.number() }, (c) => c.state.notes),
  }),
  sockets: (sockets) =>
    sockets({ in: v.string() }, { onMessage: (c) => void c.state.notes++, onConnect: () => undefined }),
});

/** An ingress with the typed door on a real port. */
class Fixture implements AsyncDisposable {
  readonly troupe: Troupe;
  readonly app: Ingress;
  readonly sockets: RpcSockets;
  readonly directory: KeyDirectory;
  readonly #server: Bun.Server<RpcSocket>;
  readonly #watch: KeyWatch;
  limit: RateLimit | undefined;

  static async open(options: { readonly auth?: "off"; readonly limits?: Partial<RpcSocketLimits> } = {}) {
    const topics = memoryTopics();
    const actors = [Clerk, Keyring, Ticket];
    return new Fixture(await createTroupe({ actors, stores: { default: memory() }, topics }), options);
  }

  private constructor(
    troupe: Troupe,
    { auth, limits = {} }: { readonly auth?: "off"; readonly limits?: Partial<RpcSocketLimits> },
  ) {
    this.troupe = troupe;
    this.directory = new KeyDirectory({
      adminKey: ADMIN,
      read: (since) => troupe.ref(Keyring, "main").table({ since }),
    });
    const guard = new Guard({
      ...(auth === undefined && { authenticate: (secret: string) => this.directory.find(secret) }),
      rateLimit: () => this.limit,
      peer: (request) => this.#server.requestIP(request)?.address,
    });
    this.app = createIngress(stubDeps({ troupe: () => troupe, rpc: [Clerk], guard }));
    const { rpc } = this.app;
    if (rpc === undefined) throw new Error("There is no door");
    const redeem = (key: string) => troupe.ref(Ticket, key).redeem();
    this.sockets = createRpcSockets({ door: rpc, guard, origins: () => [ORIGIN], redeem, log: silentLog, limits });
    this.#watch = watchKeys(this.directory, this.sockets, 20);
    this.#server = Bun.serve<RpcSocket>({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) => this.app.serve(request, (asked) => this.sockets.upgrade(asked, server)),
      websocket: this.sockets.beside<RpcSocket>({ message: () => undefined }),
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/rpc`;
  }

  client(auth?: string, options: ConnectOptions = {}) {
    return connect<{ clerk: typeof Clerk }>(this.url, {
      transport: "websocket",
      timeoutMs: 5_000,
      ...(auth !== undefined && { auth }),
      ...options,
    });
  }

  /** A socket by hand: what came, and the code it was closed with. */
  raw(headers: Record<string, string> = {}, query = "") {
    const seen: {
      frames: { readonly id?: number; readonly status?: number; readonly problem?: { code: string } }[];
      code?: number;
    } = {
      frames: [],
    };
    const socket = new WebSocket(`${this.url.replace("http", "ws")}/socket${query}`, { headers } as never);
    socket.onmessage = ({ data }) => void seen.frames.push(JSON.parse(String(data)) as (typeof seen.frames)[number]);
    socket.onclose = ({ code }) => void (seen.code = code);
    const opened = eventually(
      "the socket is open or closed",
      SOON_MS,
      async () => socket.readyState !== WebSocket.CONNECTING,
    );
    const answer = async (id: number) => {
      let found: (typeof seen.frames)[number] | undefined;
      await eventually(
        "an answer",
        SOON_MS,
        async () => (found = seen.frames.find((frame) => frame.id === id)) !== undefined,
      );
      return found?.problem?.code ?? found?.status;
    };
    return { seen, socket, opened, answer, send: (frame: unknown) => socket.send(JSON.stringify(frame)) };
  }

  async key(...scopes: string[]): Promise<{ readonly id: string; readonly key: string }> {
    const response = await this.ask("POST", "/keys", { name: "test", scopes });
    this.directory.changed();
    return (await response.json()) as { id: string; key: string };
  }

  ask(method: string, path: string, body?: unknown, key = ADMIN): Promise<Response> {
    return this.app.handle(
      new Request(`http://localhost${path}`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch.stop();
    this.sockets.close();
    await this.#server.stop(true);
    await this.troupe.stop();
  }
}

const CALL = { id: 1, call: ["clerk", "a", "note"] };
let cleanUp: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanUp) clean();
  cleanUp = [];
});

test("the typed client calls and follows over one socket, as whom its key names", async () => {
  await using fixture = await Fixture.open();
  const { key } = await fixture.key("admin");
  const client = fixture.client(key);
  cleanUp.push(() => client.close());
  const clerk = client.ref("clerk", "a");
  expect(await Promise.all([clerk.note(), clerk.note(), clerk.note()])).toHaveLength(3);
  for await (const { state } of client.watch("clerk", "a")) {
    expect(state.notes).toBe(3);
    break;
  }
  const talk = await client.socket("clerk", "a");
  await talk.send("hello");
  expect(await clerk.count()).toBe(4);
  expect(fixture.sockets.open).toBe(1);
  // The ids of a key are its own, over a socket as in requests.
  expect(await clerk.note(undefined, { id: "same" })).toBe(5);
  const again = await fixture.app.handle(
    new Request("http://localhost/rpc/clerk/a/note", {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "idempotency-key": "same" },
    }),
  );
  expect(await again.json()).toBe(5);
});

test("a key may come in the handshake, as a header or a ticket; a bad one gets no socket", async () => {
  await using fixture = await Fixture.open();
  const { key } = await fixture.key("admin");
  const orders = await fixture.key("orders");
  const byHeader = fixture.raw({ authorization: `Bearer ${key}` });
  await byHeader.opened;
  byHeader.send(CALL);
  expect(await byHeader.answer(1)).toBe(200);
  const { ticket } = (await (await fixture.ask("POST", "/tickets", undefined, key)).json()) as { ticket: string };
  const byTicket = fixture.raw({ origin: ORIGIN }, `?ticket=${ticket}`);
  await byTicket.opened;
  byTicket.send(CALL);
  expect(await byTicket.answer(1)).toBe(200);
  const refused = [
    fixture.raw({}, `?ticket=${ticket}`),
    fixture.raw({ authorization: "Bearer tk_wrong" }),
    fixture.raw({ authorization: `Bearer ${orders.key}` }),
    fixture.raw({ authorization: `Bearer ${key}`, origin: "https://evil.example" }),
    fixture.raw({ origin: "https://evil.example" }),
  ];
  for (const { opened, socket } of refused) {
    await opened;
    expect(socket.readyState).not.toBe(WebSocket.OPEN);
  }
  expect(fixture.sockets.open).toBe(2);
});

test("who says nothing may ask for nothing, and is closed after a while; a bad key in a frame closes at once", async () => {
  await using fixture = await Fixture.open({ limits: { nameWithinMs: 300, maxUnnamed: 2 } });
  const orders = await fixture.key("orders");
  const [silent, wrong] = [fixture.raw(), fixture.raw()];
  await Promise.all([silent.opened, wrong.opened]);
  silent.send(CALL);
  silent.send({ id: 2, watch: ["clerk", "a"] });
  expect([await silent.answer(1), await silent.answer(2)]).toEqual(["unauthenticated", "unauthenticated"]);
  const third = fixture.raw();
  await third.opened;
  expect(third.socket.readyState).not.toBe(WebSocket.OPEN);
  wrong.send({ auth: orders.key });
  wrong.send(CALL);
  await eventually("both are closed", SOON_MS, async () => silent.seen.code === 1008 && wrong.seen.code === 1008);
  expect(wrong.seen.frames).toEqual([]);
  expect(await fixture.troupe.ref(Clerk, "a").count()).toBe(0);
  await eventually("their places are free", SOON_MS, async () => fixture.sockets.open === 0);
});

test("a socket ends with the key it has by now", async () => {
  await using fixture = await Fixture.open();
  const [first, second] = [await fixture.key("admin"), await fixture.key("admin")];
  const one = fixture.raw({ authorization: `Bearer ${first.key}` });
  await one.opened;
  one.send({ auth: second.key });
  one.send(CALL);
  expect(await one.answer(1)).toBe(200);
  await fixture.ask("DELETE", `/keys/${first.id}`);
  fixture.directory.changed();
  one.send({ ...CALL, id: 2 });
  expect(await one.answer(2)).toBe(200);
  await fixture.ask("DELETE", `/keys/${second.id}`);
  fixture.directory.changed();
  await eventually("it is closed", SOON_MS, async () => one.seen.code === 1008);
});

test("each call and message of a socket, and each call of a batch, counts against the rate", async () => {
  await using fixture = await Fixture.open();
  const [{ key }, other] = [await fixture.key("admin"), await fixture.key("admin")];
  const named = fixture.raw({ authorization: `Bearer ${key}` });
  await named.opened;
  fixture.limit = { perSecond: 0.001, burst: 3 };
  for (let id = 1; id <= 4; id++) {
    named.send({ ...CALL, id });
    expect([id, await named.answer(id)]).toEqual([id, id <= 3 ? 200 : "rate.exceeded"]);
  }
  expect(await fixture.troupe.ref(Clerk, "a").count()).toBe(3);

  const body = Array.from({ length: 5 }, (_, id) => ({ id, call: ["clerk", "b", "note"] }));
  const lines = (await (await fixture.ask("POST", "/rpc/batch", body, other.key)).text()).trim().split("\n");
  const statuses = lines.map((line) => (JSON.parse(line) as { status: number }).status).toSorted((a, b) => a - b);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect(await fixture.troupe.ref(Clerk, "b").count()).toBe(3);
});

test("without keys whoever reaches the port may call, but no page of another origin", async () => {
  await using fixture = await Fixture.open({ auth: "off" });
  const client = fixture.client();
  cleanUp.push(() => client.close());
  expect(await client.ref("clerk", "a").note()).toBe(1);
  const page = fixture.raw({ origin: "https://evil.example" });
  await page.opened;
  expect(page.socket.readyState).not.toBe(WebSocket.OPEN);
  const own = fixture.raw({ origin: ORIGIN });
  await own.opened;
  own.send({ ...CALL, id: 7 });
  expect(await own.answer(7)).toBe(200);
});

test("a process that stops ends its sockets, and their clients come back elsewhere", async () => {
  await using fixture = await Fixture.open({ auth: "off" });
  const one = fixture.raw();
  await one.opened;
  fixture.sockets.close();
  await eventually("it is closed", SOON_MS, async () => one.seen.code === 1001);
  const late = fixture.raw();
  await late.opened;
  expect(late.socket.readyState).not.toBe(WebSocket.OPEN);
});

test("a request for the socket that is no upgrade is refused by its route", async () => {
  await using fixture = await Fixture.open();
  const asked = (key?: string) =>
    fetch(`${fixture.url}/socket`, key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } });
  expect((await asked()).status).toBe(401);
  expect((await asked(ADMIN)).status).toBe(426);
  const error: unknown = await fixture
    .client("tk_wrong", { transport: "batch" })
    .ref("clerk", "a")
    .note()
    .catch((thrown: unknown) => thrown);
  expect(error instanceof CallError && error.status).toBe(401);
});
