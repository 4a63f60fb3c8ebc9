import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createTroupe, memory, memoryTopics, silentLog, type Topics, type Troupe } from "#runtime";
import { DEFAULT_UPDATE } from "../../scaler/messages.ts";
import { Service } from "../../service/service.ts";
import { Forwarder } from "./forwarder.ts";
import { Rules } from "./rules.ts";
import { type Tunnel, withTunnels } from "./tunnel.ts";

let troupe: Troupe;
let topics: Topics;
let forwarder: Forwarder;
let front: Bun.Server<Tunnel | null>;
const behind: Bun.Server<null>[] = [];

/** Something that answers like a container: HTTP, a stream of events, a socket. */
function replica(name: string, options: { readonly refuses?: boolean } = {}): Bun.Server<null> {
  const server = Bun.serve<null>({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request, own) {
      const { pathname } = new URL(request.url);
      if (pathname === "/ws")
        return own.upgrade(request, { data: null }) ? undefined : new Response(null, { status: 400 });
      if (pathname === "/events") {
        let ticks = 0;
        const stream = new ReadableStream({
          async pull(controller) {
            if (ticks++ === 3) return controller.close();
            controller.enqueue(`data: ${ticks}\n\n`);
            await Bun.sleep(20);
          },
        });
        return new Response(stream, { headers: { "content-type": "text/event-stream" } });
      }
      if (pathname === "/slow") await Bun.sleep(300);
      if (pathname === "/large") return new Response("x".repeat(300_000));
      if (pathname === "/gone") return new Response(null, { status: 204 });
      if (pathname === "/away")
        return new Response(null, { status: 302, headers: { location: "https://example.com/" } });
      return Response.json({
        name,
        path: pathname,
        body: await request.text(),
        headers: Object.fromEntries(request.headers),
      });
    },
    websocket: {
      message: (ws, data) => void ws.send(`${name}: ${typeof data === "string" ? data : data.toString("hex")}`),
    },
  });
  behind.push(server);
  if (options.refuses) void server.stop(true);
  return server;
}

const seen = (server: Bun.Server<null>, id: string, change: object = {}) => ({
  containerId: id,
  host: "local",
  replica: behind.indexOf(server),
  revision: "r",
  state: "running",
  healthy: true,
  hostPorts: [server.port ?? 0],
  image: "troupe/echo:1",
  imageId: "i",
  startedAt: null,
  restarts: 0,
  ...change,
});

beforeEach(async () => {
  topics = memoryTopics();
  troupe = await createTroupe({ actors: [Service], stores: { default: memory() }, topics });
  forwarder = new Forwarder({
    troupe: () => troupe,
    topics: () => topics,
    log: silentLog,
    limits: { readyMs: 300, wakeMs: 1_000 },
  });
  front = Bun.serve<Tunnel | null>({
    port: 0,
    async fetch(request, own) {
      const { pathname, search } = new URL(request.url);
      const destination = forwarder.destinationOf(pathname, search.slice(1));
      if (!destination) return new Response(null, { status: 404 });
      try {
        return await forwarder.forward(request, destination, "10.0.0.9", (asked, tunnel, headers) =>
          own.upgrade(asked, { data: tunnel, headers }),
        );
      } catch (error) {
        const { status = 500, code = "" } = error as { status?: number; code?: string };
        return new Response(code, { status });
      }
    },
    websocket: withTunnels<null>({ message: () => undefined }),
  });
});
afterEach(async () => {
  forwarder.stop();
  await Promise.all([front, ...behind.splice(0)].map((server) => server.stop(true)));
  await troupe.stop();
});

async function serve(...observed: ReturnType<typeof seen>[]): Promise<void> {
  const web = troupe.ref(Service, "web");
  const { generation } = await web.configure({
    spec: {
      image: "troupe/echo:1",
      command: [],
      env: {},
      ports: [{ container: 8080, host: null }],
      resources: { memoryBytes: 64, cpus: 1, pids: 10 },
      volumes: [],
      networks: [],
      health: null,
    },
    replicas: 2,
    update: DEFAULT_UPDATE,
    scale: null,
    dependsOn: [],
    stop: { graceMs: 5_000 },
    configRevision: 1,
  });
  await web.report({ generation, status: "progressing", conditions: [], observed });
}
const get = (path: string, init?: RequestInit) => fetch(new URL(`/s/web${path}`, front.url), init);

describe("Forwarder", () => {
  test("passes on method, body, path and headers, but not those of the connection nor our own keys", async () => {
    await serve(seen(replica("a"), "c1"));
    const answer = await get("/x%2Fy?z=1", {
      method: "POST",
      body: "hello",
      headers: { authorization: `Bearer tk_${"x".repeat(43)}`, "x-mine": "1", host: "shop.example" },
    });
    const said = (await answer.json()) as { path: string; body: string; headers: Record<string, string> };
    expect([said.path, said.body, said.headers["x-mine"]]).toEqual(["/x%2Fy", "hello", "1"]);
    expect(said.headers).toMatchObject({ "x-forwarded-for": "10.0.0.9", "x-forwarded-proto": "http" });
    expect(said.headers["authorization"]).toBeUndefined();
    expect(said.headers["traceparent"]).toBeString();
    const foreign = await get("/", { headers: { authorization: "Basic abc" } });
    expect(((await foreign.json()) as { headers: object }).headers).toMatchObject({ authorization: "Basic abc" });
  });

  test("passes on statuses, redirects, large answers and streams as they come", async () => {
    await serve(seen(replica("a"), "c1"));
    expect((await get("/gone")).status).toBe(204);
    const away = await get("/away", { redirect: "manual" });
    expect([away.status, away.headers.get("location")]).toEqual([302, "https://example.com/"]);
    expect((await (await get("/large")).text()).length).toBe(300_000);
    expect((await get("/", { method: "HEAD" })).status).toBe(200);
    const events = await get("/events");
    const chunks: string[] = [];
    for await (const chunk of events.body as ReadableStream<Uint8Array>) chunks.push(new TextDecoder().decode(chunk));
    expect(chunks.length).toBeGreaterThan(1);
    expect(chunks.join("")).toBe("data: 1\n\ndata: 2\n\ndata: 3\n\n");
    expect(forwarder.readings().get("web")?.inFlight).toBe(0);
  });

  test("tries another replica where one takes no connections", async () => {
    await serve(seen(replica("dead", { refuses: true }), "c1"), seen(replica("alive"), "c2"));
    for (let i = 0; i < 10; i++) {
      const answer = await get("/", { method: "POST", body: "once" });
      expect(((await answer.json()) as { name: string }).name).toBe("alive");
    }
  });

  test("sends nothing new to a container that is drained, and its service knows when its requests are over", async () => {
    await serve(seen(replica("a"), "c1"), seen(replica("b"), "c2"));
    const slow = Promise.all([get("/slow"), get("/slow")]);
    while ((forwarder.readings().get("web")?.inFlight ?? 0) < 2) await Bun.sleep(5);
    const web = troupe.ref(Service, "web");
    await web.rotate({ out: ["c1"], back: [] });
    const draining = async () => (await web.desired()).draining["c1"]?.open;
    while ((await draining()) !== 1) await Bun.sleep(5);
    for (let i = 0; i < 6; i++) expect(((await (await get("/")).json()) as { name: string }).name).toBe("b");
    expect((await slow).map(({ status }) => status)).toEqual([200, 200]);
    while ((await draining()) !== 0) await Bun.sleep(5);
  });

  test("carries WebSockets both ways, text and bytes", async () => {
    await serve(seen(replica("a"), "c1"));
    const socket = new WebSocket(new URL("/s/web/ws", front.url).href.replace("http", "ws"));
    const heard: string[] = [];
    socket.onmessage = ({ data }) => heard.push(String(data));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    socket.send("hello");
    socket.send(new Uint8Array([1, 255]));
    while (heard.length < 2) await Bun.sleep(5);
    expect(heard).toEqual(["a: hello", "a: 01ff"]);
    expect(forwarder.readings().get("web")?.inFlight).toBe(1);
    socket.close();
    while ((forwarder.readings().get("web")?.inFlight ?? 0) > 0) await Bun.sleep(5);
  });

  test("answers 503 where nothing is ready, 404 where there is no service, 502 where nobody can be reached", async () => {
    expect(await (await get("/")).text()).toBe("service.not_found");
    await serve(seen(replica("a"), "c1", { healthy: false }));
    const waited = await get("/");
    expect([waited.status, await waited.text()]).toEqual([503, "service.unavailable"]);
    await serve(seen(replica("dead", { refuses: true }), "c9"));
    expect(await (await get("/")).text()).toBe("service.unreachable");
  });

  test("leads paths to services by the rules of the configuration, the longest first, at their rate", () => {
    const rules = new Rules(() => 0);
    const rule = { service: "web", stripPrefix: true, origins: [], rateLimit: null, key: null };
    rules.set([
      { ...rule, path: "/shop" },
      { ...rule, path: "/shop/admin", service: "admin", rateLimit: 2 },
    ]);
    expect(rules.find("/shop/x")?.service).toBe("web");
    expect(rules.find("/shop/admin/x")?.service).toBe("admin");
    expect(rules.find("/shopping")).toBeUndefined();
    const admin = rules.find("/shop/admin");
    if (!admin) throw new Error("expected a rule");
    for (let i = 0; i < 2; i++) rules.count(admin, "10.0.0.1");
    expect(() => rules.count(admin, "10.0.0.1")).toThrow("At most 2 requests");
    rules.count(admin, "10.0.0.2");
  });

  test("destinationOf() takes names of services alone", () => {
    expect(forwarder.destinationOf("/s/web", "")).toEqual({ service: "web", path: "/" });
    expect(forwarder.destinationOf("/s/web/a/../b", "x=1")).toEqual({ service: "web", path: "/a/../b?x=1" });
    for (const path of ["/s", "/s/", "/s/A/x", "/s/%2e%2e/x", "/services/web", "/s/a.b"])
      expect(forwarder.destinationOf(path, "")).toBeUndefined();
  });
});
