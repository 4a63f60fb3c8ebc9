import { expect, test } from "bun:test";
import { firstStart } from "./servers.ts";

test("firstStart() says what a bare machine waits for: one call of apt-get, and the downloads beside it", () => {
  expect(
    firstStart([
      { kind: "here", where: "/usr/bin/x" },
      { kind: "installable", how: "downloads", megabytes: 43, apt: "maven" },
      { kind: "installable", how: "downloads", megabytes: 44 },
      { kind: "installable", how: "installs", apt: "redis-server" },
    ]),
  ).toEqual({
    area: "server",
    name: "first start",
    status: "later",
    detail: "waits for one apt-get install of maven redis-server, and beside it downloads of 87 MB",
  });
});

test("firstStart() says nothing where everything is here or cannot be had", () => {
  expect(
    firstStart([
      { kind: "here", where: "/usr/bin/x" },
      { kind: "unavailable", reason: "no engine", fix: "start one" },
    ]),
  ).toBeUndefined();
});
