import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Admin, Producer, stringSerializers } from "@platformatic/kafka";
import { Autoscaler } from "#actors/orchestrator/autoscaler/autoscaler.ts";
import { Forwarder } from "#actors/orchestrator/http/traffic/forwarder.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import { connectNats, type NatsLink } from "#infra/nats/connection.ts";
import { newClient as newRabbit } from "#infra/rabbitmq/client.ts";
import { newClient as newRedis } from "#infra/redis/client.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { silentLog } from "#runtime";
import { echo } from "#workflows/reconcile-service/testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "#workflows/reconcile-service/testing/system.ts";
import { startAutoscaling } from "./autoscaling.ts";

setDefaultTimeout(90_000);

let system: TestSystem;
let nats: NatsLink;
let brokers: string;
let rabbitmq: string;
let redis: string;
let autoscaling: ReturnType<typeof startAutoscaling>;
const own = crypto.randomUUID().slice(0, 8);

beforeAll(async () => {
  const [natsUrl, kafka] = await Promise.all([testServer("nats"), testServer("kafka")]);
  [rabbitmq, redis] = await Promise.all([testServer("rabbitmq"), testServer("redis")]);
  brokers = kafka;
  nats = connectNats({ url: natsUrl, log: silentLog });
  system = await startTestSystem({ actors: [Autoscaler] });
  await Promise.all([ensureEchoImage(system.engine), nats.ready(10_000)]);
  const { troupe, engine, temporal } = system;
  const servers = { nats, kafka: [brokers], rabbitmq, redis, tls: {} };
  autoscaling = startAutoscaling({ troupe, engines: [engine], temporal, ...servers, log: silentLog, everyMs: 300 });
}, 180_000);
afterAll(async () => {
  await autoscaling?.stop();
  await system?.[Symbol.asyncDispose]();
  await nats?.close();
}, 60_000);

const policy = { min: 1, max: 4, upMs: 0, downMs: 1_000, toZeroAfterMs: null };
const reasons = async (name: string) =>
  (await system.troupe.ref(Service, name).explain()).decisions.map(
    ({ from, to, reason }) => `${from} → ${to}: ${reason}`,
  );

test("replicas follow the lag of a Kafka group, no more of them than partitions", async () => {
  const topic = `lag-${own}`;
  const admin = new Admin({ clientId: "test", bootstrapBrokers: [brokers] });
  const producer = new Producer({ clientId: "test", bootstrapBrokers: [brokers], serializers: stringSerializers });
  try {
    await admin.createTopics({ topics: [topic], partitions: 3, replicas: 1 });
    const scale = { ...policy, on: { kafkaLag: { group: `g-${own}`, topic, perReplica: 10 } } };
    await system.apply({ lagging: echo(1, {}, { scale }) });
    await system.converged("lagging", 1);
    await producer.send({ messages: Array.from({ length: 100 }, (_, i) => ({ topic, value: `${i}` })) });
    const at = performance.now();
    await system.converged("lagging", 3);
    console.log(`3 replicas ${Math.round(performance.now() - at)} ms after the lag`);
    expect((await reasons("lagging"))[0]).toStartWith("1 → 3: kafkaLag is 30");
  } finally {
    await producer.close();
    await admin.deleteTopics({ topics: [topic] });
    await admin.close();
  }
});

test("replicas follow what is pending in JetStream, and are fewer again when it is acknowledged", async () => {
  const stream = `PENDING-${own}`;
  const subject = `pending.${own}`;
  await nats.use("prepare the test", 10_000, async (client) => {
    const manager = await jetstreamManager(client);
    await manager.streams.add({ name: stream, subjects: [subject] });
    await manager.consumers.add(stream, { durable_name: "c", ack_policy: "explicit" });
    const js = jetstream(client);
    await Promise.all(Array.from({ length: 20 }, () => js.publish(subject, "x")));
  });
  try {
    const scale = { ...policy, on: { natsPending: { stream, consumer: "c", perReplica: 10 } } };
    await system.apply({ pending: echo(1, {}, { scale }) });
    await system.converged("pending", 2);
    await nats.use(
      "drain",
      10_000,
      async (client) => void (await (await jetstreamManager(client)).streams.purge(stream)),
    );
    await system.converged("pending", 1);
    expect(await reasons("pending")).toHaveLength(2);
  } finally {
    await nats.use(
      "clean up",
      10_000,
      async (client) => void (await (await jetstreamManager(client)).streams.delete(stream)),
    );
  }
});

test("replicas follow what waits in a RabbitMQ queue, and what a Redis group has; explain shows the numbers of the last look", async () => {
  const client = newRabbit(rabbitmq);
  const entries = newRedis({ url: redis, log: silentLog, connectTimeoutMs: 5_000 });
  await Promise.all([client.connect(), entries.connect()]);
  const channel = await client.channel();
  const [queue, stream] = [`ready-${own}`, `pending-${own}`];
  try {
    await channel.queueDeclare(queue, { durable: false });
    for (let n = 0; n < 20; n++) await channel.basicPublish("", queue, "x");
    await entries.xGroupCreate(stream, "g", "0", { MKSTREAM: true });
    for (let n = 0; n < 30; n++) await entries.xAdd(stream, "*", { n: String(n) });
    const on = { rabbitmqReady: { queue, perReplica: 10 }, redisPending: { stream, group: "g", perReplica: 10 } };
    await system.apply({ queued: echo(1, {}, { scale: { ...policy, on } }) });
    await system.converged("queued", 3);
    expect((await reasons("queued"))[0]).toStartWith("1 → 3: redisPending is 30");
    const last = await system.troupe.ref(Autoscaler, "queued").last();
    expect(last).toMatchObject({
      wants: 3,
      metrics: { rabbitmqReady: { value: 20, target: 10, wants: 2 }, redisPending: { value: 30, wants: 3 } },
    });
    await entries.del(stream);
    await eventually("what cannot be read is said, and nothing is made smaller", async () => {
      const look = await system.troupe.ref(Autoscaler, "queued").last();
      return look?.wants === 3 && look.metrics["redisPending"] === undefined;
    });
  } finally {
    await channel.queueDelete(queue);
    await entries.del(stream);
    await client.close();
    entries.destroy();
  }
});

test("a service without requests goes to zero, and the next request wakes it", async () => {
  const scale = { ...policy, on: { inFlight: 5 }, toZeroAfterMs: 2_000 };
  await system.apply({ sleepy: echo(1, {}, { scale }) });
  await system.converged("sleepy", 0);
  const { troupe, topics } = system;
  const forwarder = new Forwarder({ troupe: () => troupe, topics: () => topics, log: silentLog });
  try {
    const ask = () =>
      forwarder.forward(new Request("http://test/"), { service: "sleepy", path: "/" }, undefined, undefined);
    expect((await ask())?.status).toBe(200);
    expect((await reasons("sleepy"))[0]).toBe("0 → 1: a request has come");
    await system.converged("sleepy", 0);
  } finally {
    forwarder.stop();
  }
});
