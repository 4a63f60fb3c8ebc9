import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Envelope, silentLog, TroupeError } from "#runtime";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats, type NatsLink } from "./connection.ts";
import { natsTransport } from "./transport.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
let here: NatsLink;
let there: NatsLink;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
  here = connectNats({ url: broker.address, log: silentLog });
  there = connectNats({ url: broker.address, log: silentLog });
  await Promise.all([here.ready(10_000), there.ready(10_000)]);
}, 120_000);
afterAll(async () => {
  await here.close();
  await there.close();
  await broker[Symbol.asyncDispose]();
});

const envelope: Envelope = {
  type: "order",
  key: "ord_1",
  message: "place",
  input: { note: "größer ✓" },
  id: "msg_1",
  origin: { kind: "call" },
  attempt: 1,
  traceparent: undefined,
  callers: ["cart/c_1"],
  timeoutMs: 5_000,
};
const node = (): string => `n_${crypto.randomUUID()}`;

async function failure(promise: Promise<unknown>): Promise<TroupeError> {
  const error = await promise.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (error instanceof TroupeError) return error;
  throw error;
}

test("natsTransport() carries an envelope to the node that serves it, and the reply back", async () => {
  const owner = natsTransport({ connection: there, log: silentLog });
  const name = node();
  const seen: Envelope[] = [];
  await owner.serve(name, async (received) => {
    seen.push(received);
    return received.key === "ord_2"
      ? { kind: "error", error: { code: "refused", message: "no", data: { left: 0 } } }
      : { kind: "reply", body: '{"ok":true}' };
  });
  const transport = natsTransport({ connection: here, log: silentLog });
  expect(await transport.call(name, envelope)).toEqual({ kind: "reply", body: '{"ok":true}' });
  expect(await transport.call(name, { ...envelope, key: "ord_2" })).toEqual({
    kind: "error",
    error: { code: "refused", message: "no", data: { left: 0 } },
  });
  expect(seen[0]).toEqual(JSON.parse(JSON.stringify(envelope)) as Envelope);
  await owner.close();
  expect((await failure(transport.call(name, envelope))).code).toBe("unavailable");
});

test("call() throws unavailable at once when nobody serves the node", async () => {
  const started = performance.now();
  const error = await failure(
    natsTransport({ connection: here, log: silentLog }).call(node(), { ...envelope, timeoutMs: 60_000 }),
  );
  expect(error.code).toBe("unavailable");
  expect(error.retryable).toBe(true);
  expect(performance.now() - started).toBeLessThan(30_000);
});

test("call() throws deadline_exceeded when no reply comes in time", async () => {
  const owner = natsTransport({ connection: there, log: silentLog });
  const name = node();
  await owner.serve(name, () => new Promise(() => undefined));
  const error = await failure(
    natsTransport({ connection: here, log: silentLog }).call(name, { ...envelope, timeoutMs: 100 }),
  );
  expect(error.code).toBe("deadline_exceeded");
  await owner.close();
});

test("call() gets an error, not silence, for a reply that NATS does not carry", async () => {
  const owner = natsTransport({ connection: there, log: silentLog });
  const name = node();
  await owner.serve(name, async () => ({ kind: "reply", body: "x".repeat(8 * 1024 * 1024) }));
  const reply = await natsTransport({ connection: here, log: silentLog }).call(name, envelope);
  expect(reply).toMatchObject({ kind: "error", error: { code: "deadline_exceeded" } });
  await owner.close();
});

test("call() throws deadline_exceeded at once when NATS dies on the way, unavailable while it is away, and works when it is back", async () => {
  const owner = natsTransport({ connection: there, log: silentLog });
  const name = node();
  let arrived = (): void => undefined;
  const under = new Promise<void>((resolve) => (arrived = resolve));
  await owner.serve(name, (received) => {
    arrived();
    return received.key === "slow" ? new Promise(() => undefined) : Promise.resolve({ kind: "reply", body: undefined });
  });
  const transport = natsTransport({ connection: here, log: silentLog });
  const pending = failure(transport.call(name, { ...envelope, key: "slow", timeoutMs: 60_000 }));
  await under;
  await broker.kill();
  expect((await pending).code).toBe("deadline_exceeded");
  expect((await failure(transport.call(name, envelope))).code).toBe("unavailable");
  await broker.start();
  // Both connections come back by themselves, in any order; until the owner's is there, nobody serves it.
  const reply = await eventually("the owner is served again", 30_000, () =>
    transport.call(name, envelope).catch(() => undefined),
  );
  expect(reply.kind).toBe("reply");
  await owner.close();
}, 60_000);
