import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ownMark } from "./process-mark.ts";
import { readLiveRecord, readRecord, removeRecord, type StackRecord, writeRecord } from "./state-file.ts";
import { temporaryFolder } from "./testing.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const record: StackRecord = {
  version: 1,
  owner: ownMark(),
  command: "bun run dev",
  startedAt: "2026-01-01T00:00:00.000Z",
  servers: [
    {
      name: "nats",
      how: "native",
      address: "nats://127.0.0.1:1",
      env: { NATS_URL: "nats://127.0.0.1:1" },
      processes: [],
    },
  ],
  apps: [],
};

test("readLiveRecord() answers the record of an owner that runs", () => {
  using folder = temporaryFolder();
  writeRecord(folder.path, record);
  expect(readLiveRecord(folder.path)).toEqual(record);
});

test("readLiveRecord() ignores a record whose owner's pid went to another process", () => {
  using folder = temporaryFolder();
  writeRecord(folder.path, { ...record, owner: { pid: process.pid, startedAt: "boot/1" } });
  expect(readLiveRecord(folder.path)).toBeUndefined();
  expect(readRecord(folder.path)?.servers).toHaveLength(1);
});

test("readRecord() answers undefined for a file that is no record", () => {
  using folder = temporaryFolder();
  expect(readRecord(folder.path)).toBeUndefined();
  writeFileSync(join(folder.path, "stack.json"), "{");
  expect(readRecord(folder.path)).toBeUndefined();
});

test("writeRecord() keeps addresses, which hold passwords, from other users, and lists the variables in a file of their own", () => {
  using folder = temporaryFolder();
  writeRecord(folder.path, record);
  expect(statSync(join(folder.path, "stack.json")).mode & 0o077).toBe(0);
  expect(readFileSync(join(folder.path, "env"), "utf8")).toBe("NATS_URL=nats://127.0.0.1:1\n");
  removeRecord(folder.path);
  expect(readRecord(folder.path)).toBeUndefined();
});
