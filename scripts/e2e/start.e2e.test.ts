import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server, type Socket, connect } from "node:net";
import { testServer } from "#infra/stack/for-tests.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let harness: Harness;

beforeAll(async () => {
  harness = await openHarness();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

/** A port on which a server appears later: until `open`, connections are refused; then they are passed on. */
async function doorTo({
  hostname: host,
  port: behind,
}: URL): Promise<{ readonly port: number; open(): Promise<void>; close(): void }> {
  const sockets = new Set<Socket>();
  const make = (): Server =>
    createServer((client) => {
      const server = connect({ host, port: Number(behind) });
      for (const [from, to] of [
        [client, server],
        [server, client],
      ] as const) {
        sockets.add(from);
        from.on("data", (chunk) => to.write(chunk));
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      }
    });
  const listen = (server: Server, port: number): Promise<void> =>
    new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const probe = make();
  await listen(probe, 0);
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  let server: Server | undefined;
  return {
    port,
    async open() {
      server = make();
      await listen(server, port);
    },
    close() {
      server?.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("the app starts without its database, says so, and is ready once it is there", async () => {
  const url = new URL(await testServer("postgres"));
  const door = await doorTo(url);
  url.port = String(door.port);
  url.hostname = "127.0.0.1";
  try {
    const app = harness.start({ DATABASE_URL: url.href });
    await app.listening();
    expect((await app.get("/health")).status).toBe(200);
    const { status, body } = await app.get("/ready");
    const { components } = body as { components: { name: string; status: string; how: string }[] };
    expect([status, components.find(({ name }) => name === "postgres")]).toMatchObject([503, { status: "down" }]);
    expect(components.find(({ name }) => name === "postgres")?.how).not.toBe("");
    const placing = await app.post("/orders", { amount: 1 });
    expect([placing.status, placing.headers.get("retry-after") !== null]).toEqual([503, true]);
    await door.open();
    await app.ready();
    expect((await app.post("/orders", { amount: 1 })).status).toBe(201);
    expect(await app.stop()).toBe(0);
  } finally {
    door.close();
  }
}, 180_000);

test("the app refuses settings that do not fit, naming each", async () => {
  const script = Bun.fileURLToPath(new URL("../app.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, script], {
    env: { PATH: process.env["PATH"] ?? "", PORT: "x", HOST: "0.0.0.0", TROUPE_DATA: "/nonexistent" },
    stderr: "pipe",
  });
  const text = await new Response(child.stderr).text();
  expect(await child.exited).toBe(2);
  for (const name of ["PORT", "HOST"]) expect(text).toContain(`  ${name}: expected`);
});
