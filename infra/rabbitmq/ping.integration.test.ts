import { expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, createServer } from "node:net";
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

test("pingRabbitMq() gives up on a server that takes the connection and says nothing, and closes it", async () => {
  const closed = Promise.withResolvers<void>();
  const silent = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("close", () => closed.resolve());
    socket.resume();
  });
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as AddressInfo;
  await expect(pingRabbitMq(`amqp://guest:guest@127.0.0.1:${port}`, 50)).rejects.toThrow("50 ms");
  await closed.promise;
  silent.close();
});
