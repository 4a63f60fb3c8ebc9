import { expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "../stack/for-tests.ts";
import { pingRedis } from "./ping.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("pingRedis() resolves when the server answers", async () => {
  await pingRedis(await testServer("redis"));
});

test("pingRedis() rejects when nobody listens there", async () => {
  const failure = await pingRedis("redis://127.0.0.1:1", 500).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
});
