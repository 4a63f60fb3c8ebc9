import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { SERVICES } from "./app/databases.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(300_000);

function migrate(env: Record<string, string>): { code: number; out: string; err: string } {
  const command = [process.execPath, join(import.meta.dir, "migrate.ts"), "--data", "/nowhere"];
  const child = Bun.spawnSync(command, { env: { PATH: process.env["PATH"], ...env }, stdin: "ignore" });
  return { code: child.exitCode, out: child.stdout.toString(), err: child.stderr.toString() };
}

const variablesOf = (url: string): Record<string, string> =>
  Object.fromEntries(SERVICES.map((service) => [`${service.toUpperCase()}_DATABASE_URL`, url]));

test("bun run migrate makes the tables of every service, and finds nothing to do the next time", async () => {
  await using database = await testDatabase("migrate");
  const first = migrate(variablesOf(database.url));
  expect(first).toMatchObject({ code: 0, err: "" });
  expect(first.out).toStartWith("order: applied 0001_create_store.sql");
  expect(migrate(variablesOf(database.url)).out).toBe(SERVICES.map((service) => `${service}: up to date\n`).join(""));
});

test("bun run migrate goes on after a database it cannot reach, and fails", async () => {
  await using database = await testDatabase("migrate");
  const away = { ...variablesOf(database.url), ORDER_DATABASE_URL: "postgres://nobody@127.0.0.1:1/order" };
  const { code, out, err } = migrate(away);
  expect(code).toBe(1);
  expect(err).toStartWith("order: ");
  // All of them share one database here: the first that can be reached makes its tables.
  expect(out).toMatch(/^\w+: applied /);
  expect(out).toContain("stock: up to date");
});

test("bun run migrate names the variable of a database that is not named", () => {
  expect(migrate({})).toMatchObject({ code: 2, out: "", err: expect.stringContaining("ORDER_DATABASE_URL") });
});
