import { expect, setDefaultTimeout, test } from "bun:test";
import { createServer, type Server } from "node:net";
import { isFree, Ports } from "./ports.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("Ports.pick() never hands the same port to two holders", async () => {
  using first = new Ports(false);
  using second = new Ports(false);
  const port = await first.pick(0);
  expect(await second.pickFrom(port)).not.toBe(port);
});

test("Ports.pick() passes over a usual port that somebody listens on", async () => {
  await using busy = await listen();
  using ports = new Ports(true);
  expect(await ports.pick(busy.port)).not.toBe(busy.port);
});

test("Ports.pick() takes the usual port when it is free and wanted", async () => {
  const usual = await freedPort();
  using ports = new Ports(true);
  expect(await ports.pick(usual)).toBe(usual);
});

test("Ports.pickFrom() answers the next port above a taken one", async () => {
  await using busy = await listen();
  using ports = new Ports();
  expect(await ports.pickFrom(busy.port)).toBeGreaterThan(busy.port);
});

test("Ports gives its ports back when it is disposed of", async () => {
  const first = new Ports(false);
  const port = await first.pick(0);
  first[Symbol.dispose]();
  using second = new Ports(true);
  expect(await second.pick(port)).toBe(port);
});

test("isFree() sees a listener on all addresses", async () => {
  await using busy = await listen("0.0.0.0");
  expect(await isFree(busy.port)).toBe(false);
});

async function listen(host = "127.0.0.1"): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("No port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

/** A port that was free a moment ago and that no other run picks, since it lies outside their range only by chance. */
async function freedPort(): Promise<number> {
  using ports = new Ports(false);
  return await ports.pick(0);
}
