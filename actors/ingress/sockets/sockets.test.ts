import { expect, setDefaultTimeout, test } from "bun:test";
import { Problem } from "#infra/http/problem.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { memoryTopics, silentLog, type Topics } from "#runtime";
import { followTopics } from "../web/follow-topics.ts";
import { loopbackOrigins, type SocketAccess } from "./access.ts";
import { createSockets, type Sockets, type SocketsOptions } from "./sockets.ts";
import { RawSocket } from "./testing/raw-socket.ts";

const SOON_MS = 10_000;
setDefaultTimeout(30_000);

type TestOptions = Pick<Partial<SocketsOptions>, "limits"> & { readonly access?: Partial<SocketAccess> };

/** A server of sockets and nothing else; `replace` is what a new process behind the same address would be. */
class TestServer implements AsyncDisposable {
  readonly topics: Topics = memoryTopics();
  readonly #options: TestOptions;
  readonly #server: Bun.Server<never>;
  sockets: Sockets;

  constructor(options: TestOptions = {}) {
    this.#options = options;
    this.sockets = this.#make();
    this.#server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request, server) => this.sockets.upgrade(request, server as never),
      websocket: this.sockets.websocket as never,
    }) as never;
  }

  get port(): number {
    return this.#server.port ?? 0;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  replace(): void {
    this.sockets.close();
    this.sockets = this.#make();
    this.#server.reload({
      fetch: (request, server) => this.sockets.upgrade(request, server as never),
      websocket: this.sockets.websocket as never,
    });
  }

  get(headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
    return fetch(this.url.replace("ws:", "http:"), { method, headers });
  }

  async broadcast(topic: string, data: unknown): Promise<void> {
    const actor = { type: "t", key: "k" };
    const id = crypto.randomUUID();
    const record = { partition: 1, seq: 1, kind: "broadcast", id, name: "said", actor, target: topic, at: 1 } as const;
    await this.topics.sink.publish([{ ...record, body: JSON.stringify(data), traceparent: undefined }], 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.topics.close();
    await this.#server.stop(true);
  }

  #make(): Sockets {
    const access = { origins: () => loopbackOrigins(this.port), ...this.#options.access };
    return createSockets({ topics: () => this.topics, log: silentLog, ...this.#options, access });
  }
}

/** A client that keeps everything it hears. */
class Client {
  readonly frames: Record<string, unknown>[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly socket: WebSocket;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers } as never);
    this.socket.onmessage = ({ data }) => void this.frames.push(JSON.parse(String(data)) as Record<string, unknown>);
    this.socket.onclose = ({ code, reason }) => void (this.closed = { code, reason });
  }

  async say(message: unknown): Promise<this> {
    await eventually("the socket is open", SOON_MS, async () => this.socket.readyState === WebSocket.OPEN);
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
    return this;
  }

  /** Waits for the frame `index`. */
  hears(index: number): Promise<Record<string, unknown>> {
    return eventually(`frame ${index} is here`, SOON_MS, async () => this.frames[index]);
  }

  closes(): Promise<{ code: number; reason: string }> {
    return eventually("the socket is closed", SOON_MS, async () => this.closed);
  }
}

const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  "sec-websocket-version": "13",
};

test("a client hears what is broadcast to the topics it follows, and nothing else", async () => {
  await using server = new TestServer();
  const client = await new Client(server.url).say({ subscribe: ["orders", "orders/ord_1", "orders"] });
  expect(await client.hears(0)).toEqual({ subscribed: ["orders", "orders/ord_1"], id: expect.any(String) });
  await server.broadcast("orders/ord_2", { n: 0 });
  await server.broadcast("orders/ord_1", { n: 1, text: 'größer " ✓' });
  await server.broadcast("orders", [2]);
  expect(await client.hears(2)).toEqual({ id: expect.any(String), topic: "orders", type: "said", data: [2] });
  expect(client.frames[1]).toMatchObject({ topic: "orders/ord_1", data: { n: 1, text: 'größer " ✓' } });
  await client.say({ unsubscribe: ["orders", "never"] });
  expect(await client.hears(3)).toEqual({ unsubscribed: ["orders"] });
  await server.broadcast("orders", 3);
  await server.broadcast("orders/ord_1", 4);
  expect(await client.hears(4)).toMatchObject({ topic: "orders/ord_1", data: 4 });
});

test("a client that gives `after` hears what it missed, or that it cannot be had", async () => {
  await using server = new TestServer();
  const first = await new Client(server.url).say({ subscribe: ["a"] });
  const { id: start } = await first.hears(0);
  for (let n = 0; n < 5; n++) await server.broadcast("a", n);
  const { id } = await first.hears(2);
  const second = await new Client(server.url).say({ subscribe: ["a"], after: id });
  await second.hears(3);
  expect(second.frames.slice(1).map(({ data }) => data)).toEqual([2, 3, 4]);
  const third = await new Client(server.url).say({ subscribe: ["a"], after: start });
  expect(await third.hears(5)).toMatchObject({ data: 4 });
  const fourth = await new Client(server.url).say({ subscribe: ["a"], after: "elsewhere-1" });
  expect([await fourth.hears(1), await fourth.hears(2)]).toMatchObject([{ gap: ["a"] }, { data: 0 }]);
});

test("a pong tells where each subscription stands, also of a quiet topic", async () => {
  await using server = new TestServer();
  const client = await new Client(server.url).say({ subscribe: ["quiet"] });
  await client.say({ subscribe: ["loud"] });
  await client.hears(1);
  for (let n = 0; n < 3; n++) await server.broadcast("loud", n);
  const { id } = await client.hears(4);
  await client.say({ ping: 7 });
  expect(await client.hears(5)).toEqual({
    pong: 7,
    at: [
      { topics: ["quiet"], id },
      { topics: ["loud"], id },
    ],
  });
});

test("what a client says wrong is answered by its code, takes no effect, and the socket stays open", async () => {
  await using server = new TestServer();
  const client = new Client(server.url);
  const many = Array.from({ length: 101 }, (_, i) => `t${i}`);
  const wrong: [unknown, string][] = [
    ["{", "invalid_message"],
    ["[".repeat(60_000), "invalid_message"],
    ['{"subscribe": ["a"], "subscribe": ["b"]}', "invalid_message"],
    [{ subscribe: [] }, "invalid_message"],
    [{ subscribe: "a" }, "invalid_message"],
    [{ subscribe: ["a"], more: 1 }, "invalid_message"],
    [{ publish: "a" }, "invalid_message"],
    [{ subscribe: ["ok", "a.*>"] }, "invalid_topic"],
    [{ subscribe: ["a/>"] }, "invalid_topic"],
    [{ subscribe: ["a"], after: "no id" }, "invalid_after"],
    [{ subscribe: many }, "too_many_topics"],
  ];
  for (const [message] of wrong) await client.say(message);
  await client.say({ subscribe: many.slice(1) });
  expect(await client.hears(wrong.length)).toMatchObject({ subscribed: many.slice(1) });
  const codes = client.frames.slice(0, wrong.length).map(({ error }) => (error as { code: string }).code);
  expect(codes).toEqual(wrong.map(([, code]) => code));
});

test("a frame over 64 KB closes with 1009, one that is no text with 1003, more messages than allowed with 1008", async () => {
  await using server = new TestServer({ limits: { messagesPerSecond: 1, messageBurst: 3 } });
  expect((await (await new Client(server.url).say("x".repeat(65_537))).closes()).code).toBe(1009);
  const binary = new Client(server.url);
  await eventually("it is open", SOON_MS, async () => binary.socket.readyState === WebSocket.OPEN);
  binary.socket.send(new Uint8Array(3));
  expect((await binary.closes()).code).toBe(1003);
  const flood = new Client(server.url);
  for (let i = 0; i < 4; i++) await flood.say({ ping: i });
  expect((await flood.closes()).code).toBe(1008);
  expect(flood.frames.length).toBeLessThanOrEqual(3);
});

test("only pages of the allowed origins get a socket, compared to the character", async () => {
  await using server = new TestServer({ access: { origins: () => ["https://shop.example"] } });
  for (const origin of [
    "https://evil.example",
    "http://shop.example",
    "https://shop.example.evil",
    "https://SHOP.example",
    "null",
    "",
  ]) {
    const answer = await server.get({ ...upgrade, origin });
    expect([origin, answer.status]).toEqual([origin, 403]);
    expect(await answer.json()).toMatchObject({ code: "origin.forbidden", traceId: expect.any(String) });
  }
  const client = await new Client(server.url, { origin: "https://shop.example" }).say({ subscribe: ["a"] });
  expect(await client.hears(0)).toMatchObject({ subscribed: ["a"] });
});

test("with authentication nobody gets a socket without a key, and each only the topics that are theirs", async () => {
  await using server = new TestServer({
    access: {
      authenticate: async ({ headers }) => {
        const key = headers.get("authorization");
        if (key === "wrong")
          throw new Problem(401, "key.invalid", "No such key", { headers: { "www-authenticate": "Bearer" } });
        return { authenticated: key !== null, mayFollow: (topic) => topic === "mine" };
      },
    },
  });
  expect((await server.get({ ...upgrade, authorization: "wrong" })).status).toBe(401);
  expect((await server.get(upgrade)).status).toBe(403);
  const client = await new Client(server.url, { authorization: "right" }).say({ subscribe: ["mine", "theirs"] });
  expect(await client.hears(0)).toMatchObject({ error: { code: "forbidden_topic" } });
  await client.say({ subscribe: ["mine"] });
  expect(await client.hears(1)).toMatchObject({ subscribed: ["mine"] });
});

test("a key has so many sockets and no more, whoever else has some; one that ends makes room", async () => {
  const authenticate = async ({ headers }: Request) => {
    const keyId = headers.get("authorization") ?? "none";
    return { authenticated: true, principal: { keyId, scopes: [] }, mayFollow: () => true };
  };
  await using server = new TestServer({ access: { authenticate }, limits: { maxPerKey: 2 } });
  const follow = (authorization: string) => new Client(server.url, { authorization }).say({ subscribe: ["a"] });
  const [first] = await Promise.all([follow("one"), follow("one"), follow("two")]);
  const refused = await server.get({ ...upgrade, authorization: "one" });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "5"]);
  expect(await refused.json()).toMatchObject({ code: "sockets.too_many" });
  await follow("two");
  first?.socket.close();
  await eventually("there is room", SOON_MS, async () => server.sockets.open === 3);
  await follow("one");
  expect((await server.get({ ...upgrade, authorization: "one" })).status).toBe(429);
});

test("what is no handshake is a problem, and one socket too many a 503", async () => {
  await using server = new TestServer({ limits: { maxSockets: 1 } });
  const plain = await server.get();
  expect([plain.status, plain.headers.get("upgrade"), await plain.json()]).toMatchObject([
    426,
    "websocket",
    { code: "upgrade_required" },
  ]);
  expect((await server.get({}, "POST")).status).toBe(405);
  expect((await server.get({ upgrade: "websocket", connection: "Upgrade" })).status).toBe(400);
  const client = await new Client(server.url).say({ ping: 1 });
  await client.hears(0);
  const full = await server.get(upgrade);
  expect([full.status, full.headers.get("retry-after")]).toEqual([503, "5"]);
  client.socket.close();
  await eventually("there is room again", SOON_MS, async () => server.sockets.open === 0);
});

test("close() ends every socket with 1001 and lets no new one in", async () => {
  await using server = new TestServer();
  const client = await new Client(server.url).say({ subscribe: ["a"] });
  await client.hears(0);
  server.sockets.close();
  expect((await client.closes()).code).toBe(1001);
  expect((await server.get(upgrade)).status).toBe(503);
});

const BIG = { text: "x".repeat(60_000) };

test("a client that stops reading holds up nobody, is sent everything when it reads again, in order", async () => {
  await using server = new TestServer();
  using slow = new RawSocket(server.port);
  slow.send('{"subscribe":["a"]}');
  await eventually("the slow one follows", SOON_MS, async () => slow.texts.length === 1);
  slow.pause();
  const quick = await new Client(server.url).say({ subscribe: ["a"] });
  await quick.hears(0);
  for (let n = 0; n < 200; n++) await server.broadcast("a", { n, ...BIG });
  await quick.hears(200);
  expect(slow.texts.length).toBeLessThan(200);
  slow.resume();
  await eventually("the slow one has everything", SOON_MS, async () => slow.texts.length === 201);
  const numbers = slow.texts.slice(1).map((text) => (JSON.parse(text) as { data: { n: number } }).data.n);
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test("a client that reads nothing for too long is closed with 1013, and what it was sent is in order", async () => {
  await using server = new TestServer({ limits: { stallMs: 50 } });
  using slow = new RawSocket(server.port);
  slow.send('{"subscribe":["a"]}');
  await eventually("the slow one follows", SOON_MS, async () => slow.texts.length === 1);
  slow.pause();
  for (let n = 0; n < 250; n++) await server.broadcast("a", { n, ...BIG });
  await eventually("the socket is gone", SOON_MS, async () => server.sockets.open === 0);
  slow.resume();
  await eventually("it hears why", SOON_MS, async () => slow.closeCode === 1013);
});

// oxlint-disable-next-line typescript/no-implied-eval -- as the pages carry it: from its text, with nothing around it
const followFromText = new Function(`return ${followTopics.toString()}`)() as typeof followTopics;

test("followTopics() comes back by itself and misses nothing while its server is replaced again and again", async () => {
  await using server = new TestServer();
  const heard: unknown[] = [];
  const following = followFromText(server.url, ["a"], { onMessage: ({ data }) => void heard.push(data), retryMs: 5 });
  await eventually("it follows", SOON_MS, async () => {
    await server.broadcast("a", "start");
    return heard.length > 0;
  });
  for (let n = 0; n < 200; n++) {
    await server.broadcast("a", n);
    if (n % 40 === 20) server.replace();
    if (n % 10 === 0) await eventually("it is back", SOON_MS, async () => server.sockets.open === 1);
  }
  await eventually("the last is here", SOON_MS, async () => heard.at(-1) === 199);
  following.close();
  expect(heard.filter((data) => data !== "start")).toEqual(Array.from({ length: 200 }, (_, i) => i));
});

test("followTopics() asks anew where to connect for each connection, and goes on trying while it is not told", async () => {
  await using server = new TestServer();
  const heard: unknown[] = [];
  let asked = 0;
  const address = async (): Promise<string> => {
    if (++asked % 2 === 0) throw new Error("no ticket now");
    return `${server.url}?ticket=${asked}`;
  };
  const following = followFromText(address, ["a"], { onMessage: ({ data }) => void heard.push(data), retryMs: 5 });
  for (const n of [1, 3, 5]) {
    await eventually("it follows", SOON_MS, async () => {
      await server.broadcast("a", n);
      return heard.at(-1) === n;
    });
    expect(asked).toBe(n);
    server.replace();
  }
  following.close();
});

test("300 clients that are cut off together come back together and miss nothing, with some among them that never read", async () => {
  await using server = new TestServer();
  const heard = Array.from({ length: 300 }, (): unknown[] => []);
  const crowd = heard.map((list, i) =>
    followTopics(server.url, [`t/${i % 10}`, "all"], { onMessage: ({ data }) => void list.push(data), retryMs: 20 }),
  );
  using lame = new DisposableStack();
  for (let i = 0; i < 5; i++) lame.use(new RawSocket(server.port)).send('{"subscribe":["all"]}');
  await eventually("everybody follows", SOON_MS, async () => {
    await server.broadcast("all", "start");
    return heard.every((list) => list.length > 0);
  });
  for (const list of heard) list.length = 0;
  server.replace();
  for (let n = 0; n < 50; n++) {
    await server.broadcast("all", n);
    await server.broadcast(`t/${n % 10}`, n);
  }
  await eventually("everybody has the last", SOON_MS, async () => heard.every((list) => list.includes(49)));
  await eventually("everybody has their own", SOON_MS, async () => heard.every((list) => count(list) === 55));
  for (const list of heard) expect(count(list)).toBe(55);
  for (const following of crowd) following.close();
});

const count = (list: readonly unknown[]): number => list.filter((data) => data !== "start").length;
