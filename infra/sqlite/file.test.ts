import { expect, test } from "bun:test";
import { OutcomeUnknownError } from "#runtime";
import { SqliteFile } from "./file.ts";
import { migrate } from "./migrate.ts";
import { sqlite } from "./store.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

test("a file is opened with a write-ahead log that is flushed with every commit", async () => {
  await using temporary = await temporaryFile();
  const file = new SqliteFile(temporary.path, 100);
  expect(file.get("pragma journal_mode")).toEqual({ journal_mode: "wal" });
  expect(file.get("pragma synchronous")).toEqual({ synchronous: 2 });
  expect(file.get("pragma busy_timeout")).toEqual({ timeout: 100 });
  file.close();
});

test("work that throws writes nothing, and the next work can write", async () => {
  await using temporary = await temporaryFile();
  const file = new SqliteFile(temporary.path, 100);
  file.script("create table t (a integer)");
  const failing = (): void =>
    file.write(() => {
      file.run("insert into t values (1)");
      throw new Error("no");
    });
  expect(failing).toThrow("no");
  file.write(() => file.run("insert into t values (2)"));
  expect(file.all("select a from t")).toEqual([{ a: 2 }]);
  file.close();
});

test("a commit that fails has an unknown outcome, and leaves no transaction open", async () => {
  await using temporary = await temporaryFile();
  const file = new SqliteFile(temporary.path, 100);
  file.script("pragma foreign_keys = on");
  file.script("create table parent (id integer primary key)");
  // Checked by the commit, so that it is what fails.
  file.script("create table child (id integer references parent deferrable initially deferred)");
  expect(() => file.write(() => file.run("insert into child values (1)"))).toThrow(OutcomeUnknownError);
  file.write(() => file.run("insert into parent values (1)"));
  expect(file.all("select id from child")).toEqual([]);
  file.close();
});

test("a write that another connection holds up fails after the busy timeout and has written nothing", async () => {
  await using temporary = await temporaryFile();
  const [one, two] = [new SqliteFile(temporary.path, 20), new SqliteFile(temporary.path, 20)];
  one.script("create table t (a integer)");
  one.write(() => expect(() => two.write(() => two.run("insert into t values (1)"))).toThrow("database is locked"));
  two.write(() => two.run("insert into t values (2)"));
  expect(one.all("select a from t")).toEqual([{ a: 2 }]);
  one.close();
  two.close();
});

test("migrations are applied once", async () => {
  await using temporary = await temporaryFile();
  const file = new SqliteFile(temporary.path, 100);
  expect((await migrate(file))[0]).toBe("0001_create_store.sql");
  expect(await migrate(file)).toEqual([]);
  file.close();
});

test("a store that is not open says so, and one whose file is none is refused", async () => {
  await using temporary = await temporaryFile();
  const store = sqlite(temporary.path, { name: "shop" });
  await expect(store.check()).rejects.toThrow("Cannot use the store shop as it is not open");
  await Bun.write(
    temporary.path,
    "this is no database, but it is long enough to be looked at as if it were one".repeat(20),
  );
  await expect(store.open()).rejects.toThrow("file is not a database");
});
