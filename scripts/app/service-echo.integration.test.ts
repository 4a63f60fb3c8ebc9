import { expect, setDefaultTimeout, test } from "bun:test";
import { Service } from "#actors/orchestrator/service/service.ts";
import { kafkaSink } from "#infra/kafka/sink.ts";
import { kafkaSource } from "#infra/kafka/source.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, silentLog } from "#runtime";
import { echo } from "#workflows/reconcile-service/testing/services.ts";

setDefaultTimeout(120_000);

test("a service is DONE once the event of its reconciled revision has come back over Kafka", async () => {
  const brokers = await testServer("kafka");
  const place = { brokers, log: silentLog, topicPrefix: `echo${crypto.randomUUID().slice(0, 8)}.` };
  const sinks = [kafkaSink(place)];
  await using troupe = await createTroupe({
    actors: [Service],
    stores: { default: memory() },
    sinks,
    sources: { service: kafkaSource(place) },
  });
  const web = troupe.ref(Service, "web");
  const { generation } = await web.configure({ ...echo(1), configRevision: 1, echoed: true });
  expect(await web.get()).toMatchObject({ outbox: "PENDING" });
  await web.report({ generation, status: "converged", conditions: [], observed: [] });
  await eventually("its event has come back", 90_000, async () => (await web.get())?.outbox === "DONE");
});
