import { expect, setDefaultTimeout, test } from "bun:test";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { inspectStore } from "./stores.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("inspectStore() tells with how many partitions a store was made, and what to do where the app asks for others", async () => {
  await using database = await testDatabase("doctor");
  expect(await inspectStore("stock", database.url, undefined)).toMatchObject({
    status: "later",
    detail: "is made by the first start",
  });
  const store = postgresStore(database.url, { partitions: 256 });
  await store.open();
  await store.close();
  for (const asked of [undefined, 256])
    expect(await inspectStore("stock", database.url, asked)).toEqual({
      area: "stores",
      name: "stock",
      status: "ok",
      detail: "256 partitions",
    });
  expect(await inspectStore("stock", database.url, 64)).toMatchObject({
    status: "bad",
    detail: expect.stringContaining("made with 256 partitions, and DATABASE_PARTITIONS asks for 64"),
    fix: expect.stringContaining("set DATABASE_PARTITIONS to 256, or unset it"),
  });
});

test("inspectStore() says that it cannot tell where no PostgreSQL answers", async () => {
  const finding = await inspectStore("stock", "postgres://nobody@127.0.0.1:1/none", undefined);
  expect(finding).toMatchObject({ status: "off", detail: expect.stringContaining("cannot be asked") });
});
