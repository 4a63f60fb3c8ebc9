import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bringServers } from "./bring.ts";
import { temporaryFolder } from "./testing.ts";
import type { StackEvent } from "./types.ts";

setDefaultTimeout(60_000);

let folder: ReturnType<typeof temporaryFolder>;
const before = { PATH: process.env["PATH"], NATS_URL: process.env["NATS_URL"] };

beforeEach(() => {
  folder = temporaryFolder();
  delete process.env["NATS_URL"];
});

afterEach(() => {
  folder[Symbol.dispose]();
  process.env["PATH"] = before.PATH;
  if (before.NATS_URL === undefined) delete process.env["NATS_URL"];
  else process.env["NATS_URL"] = before.NATS_URL;
});

test("bringServers() finds a program without starting it", async () => {
  const program = join(folder.path, "nats-server");
  writeFileSync(
    program,
    '#!/bin/sh\n[ "$1" = --version ] && echo "nats-server: v2.99.0" && exit\necho started > "$0.started"\n',
  );
  chmodSync(program, 0o755);
  process.env["PATH"] = `${folder.path}:${before.PATH}`;
  const events: StackEvent[] = [];
  expect(await bringServers(["nats"], (event) => events.push(event))).toEqual([]);
  expect(events).toEqual([{ server: "nats", state: { kind: "stopped" } }]);
  expect(await Bun.file(`${program}.started`).exists()).toBe(false);
});

test("bringServers() looks for nothing that the environment names", async () => {
  process.env["NATS_URL"] = "nats://127.0.0.1:1";
  const events: StackEvent[] = [];
  expect(await bringServers(["nats"], (event) => events.push(event))).toEqual([]);
  expect(events).toEqual([]);
});
