import { expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "../stack/for-tests.ts";
import { pingRabbitMq } from "./ping.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("pingRabbitMq() resolves when the server takes a connection", async () => {
  await pingRabbitMq(await testServer("rabbitmq"));
});

test("pingRabbitMq() rejects when nobody listens there", async () => {
  const failure = await pingRabbitMq("amqp://127.0.0.1:1").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
});
