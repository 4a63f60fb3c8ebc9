import { expect, test } from "bun:test";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const PORT = { name: "PORT", value: "3000", origin: "default", meaning: "where HTTP is served" };

test("GET /settings shows what is in force, and where it comes from, as it is now", async () => {
  let settings = [PORT];
  const app = createIngress(stubDeps({ settings: () => settings }));
  const read = async () => (await app.handle(new Request("http://localhost/settings"))).json();
  expect(await read()).toEqual({ items: [PORT] });
  settings = [{ ...PORT, value: "3001", origin: "environment" }];
  expect(await read()).toEqual({ items: settings });
});

test("a process that tells nothing of its settings has no such route", async () => {
  const response = await createIngress(stubDeps()).handle(new Request("http://localhost/settings"));
  expect(response.status).toBe(404);
});
