import { expect, test } from "bun:test";
import { isSealed } from "#infra/secrets/secret-box.ts";
import type { Log } from "#runtime";
import { secretsOf } from "./secrets.ts";

test("secretsOf() seals where there is a key, and says where there should be one", async () => {
  const said: string[] = [];
  const log: Log = (level, event) => void said.push(`${level} ${event}`);
  const TROUPE_SECRET_KEY = Buffer.alloc(32, 7).toString("base64");
  expect(isSealed(await secretsOf({ TROUPE_SECRET_KEY, TROUPE_AUTH: "on" }, log).seal("a", "p"))).toBe(true);
  expect(await secretsOf({ TROUPE_AUTH: "off" }, log).seal("a", "p")).toBe("a");
  expect(said).toEqual([]);
  expect(await secretsOf({ TROUPE_AUTH: "on" }, log).seal("a", "p")).toBe("a");
  expect(said).toEqual(["warn secrets:plain"]);
});
