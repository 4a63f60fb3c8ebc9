import { expect, test } from "bun:test";
import { join } from "node:path";
import { migrationsModule } from "./migrations-module.ts";

test("the schema of an object is that of the file: `bun infra/durable-object/write-migrations.ts` keeps it so", async () => {
  expect(await Bun.file(join(import.meta.dir, "migrations.ts")).text()).toBe(await migrationsModule());
});
