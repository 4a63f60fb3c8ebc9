import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "#infra/testing/eventually.ts";
import type { Log } from "#runtime";
import { readConfigFile } from "./config-file.ts";
import { followSettings } from "./live-settings.ts";
import { describeSettings, loadSettings } from "./settings-sources.ts";
import { SettingsError } from "./settings.ts";

let folder: string;
let path: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-file-"));
  path = join(folder, "troupe.yaml");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The settings of a file, with an environment beside it. */
const load = (text: string, environment: Record<string, string> = {}) => {
  writeFileSync(path, text);
  return loadSettings({ TROUPE_CONFIG: path, TROUPE_DATA: folder, ...environment });
};
const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return "";
};

const WHOLE = `
api:
  address: 127.0.0.1:4000
  auth: on
  rateLimit: 50
  rateLimitBurst: 75
  maxPayloadSize: 256KiB
  allowedOrigins: [https://a.example, https://b.example]
  trustedProxies: 10.0.0.0/8
database:
  url: postgres://u:hunter2@db/x
  order: postgres://u:hunter2@orders/x
broker:
  nats: { url: "nats://n:4222" }
  kafka: { brokers: ["k1:9092", "k2:9092"] }
routing: { defaultTopic: events.unrouted.v1, defaultExchange: spare, defaultRoutingKey: a.b, maxRetries: 3 }
outbox: { retention: 2h }
actors: { maxActive: 500 }
`;

describe("the file of TROUPE_CONFIG", () => {
  test("says what the variables say, and the environment wins over it", () => {
    const { settings, originOf } = load(WHOLE, { PORT: "5000", NATS_URL: "nats://env:4222" });
    expect(settings).toMatchObject({
      HOST: "127.0.0.1",
      PORT: 5000,
      TROUPE_AUTH: "on",
      API_RATE_LIMIT: 50,
      API_RATE_LIMIT_BURST: 75,
      API_MAX_PAYLOAD_SIZE: 262_144,
      ALLOWED_ORIGINS: ["https://a.example", "https://b.example"],
      ORDER_DATABASE_URL: "postgres://u:hunter2@orders/x",
      NATS_URL: "nats://env:4222",
      KAFKA_BROKERS: "k1:9092,k2:9092",
      ROUTING_DEFAULT_TOPIC: "events.unrouted.v1",
      ROUTING_DEFAULT_EXCHANGE: "spare",
      ROUTING_DEFAULT_ROUTING_KEY: "a.b",
      ROUTING_MAX_RETRIES: 3,
      OUTBOX_RETENTION: "2h",
      ACTORS_MAX_ACTIVE: 500,
    });
    expect([originOf("PORT"), originOf("LOG_LEVEL")]).toEqual(["environment", "default"]);
    expect(originOf("API_RATE_LIMIT")).toBe(`${path} line 5, column 14: /api/rateLimit`);
  });

  test("wins over the addresses of a running stack", () => {
    writeFileSync(join(folder, "env"), "NATS_URL=nats://stack:4222\nREDIS_URL=redis://stack:6379\n");
    const { settings, originOf } = load("broker: { nats: { url: 'nats://file:4222' } }");
    expect([settings.NATS_URL, settings.REDIS_URL]).toEqual(["nats://file:4222", "redis://stack:6379"]);
    expect(originOf("REDIS_URL")).toBe("running stack");
    rmSync(join(folder, "env"));
  });

  test("is refused with every error, its line and column, and the key that was meant", () => {
    const read = readConfigFile(
      "api:\n  ratelimit: 5\n  address: {}\nroutting: {}\nrouting:\n  maxRetrys: 3\nbroker: 4\nscaler: {}\n",
    );
    expect("errors" in read ? read.errors : []).toEqual([
      "line 2, column 3: /api/ratelimit is not a known key; did you mean rateLimit?",
      "line 3, column 12: /api/address must be text, a number, or a list of them",
      "line 4, column 1: /routting is not a known key; did you mean routing?",
      "line 6, column 3: /routing/maxRetrys is not a known key; did you mean maxRetries?",
      "line 7, column 9: /broker must be a map",
      "line 8, column 1: /scaler has no meaning in this version",
    ]);
    for (const text of [
      "api: &a {}\nbroker: *a",
      "api: {}\napi: {}",
      "api: !!x {}",
      "{",
      "__proto__: {}",
      "constructor: {}",
    ])
      expect([text, "errors" in readConfigFile(text)]).toEqual([text, true]);
    expect(({} as Record<string, unknown>)["url"]).toBeUndefined();
  });

  test("names the place of a value that does not fit, and shows no address", () => {
    const message = messageOf(() => load("api:\n  rateLimit: many\ndatabase:\n  url: mysql://u:hunter2@h\n"));
    expect(message).toContain("line 2, column 14: /api/rateLimit (API_RATE_LIMIT): expected a whole number");
    expect(message).toContain("line 4, column 8: /database/url (DATABASE_URL)");
    expect(message).not.toContain("hunter2");
    expect(messageOf(() => loadSettings({ TROUPE_CONFIG: join(folder, "absent.yaml") }))).toContain("cannot be read");
    expect(messageOf(() => load("api: { address: 0.0.0.0:80 }"))).toContain("set TROUPE_AUTH=on");
  });

  test("names what is no place for events, and a routing key without an exchange", () => {
    const message = messageOf(() =>
      load("routing: { defaultTopic: 'a b', defaultExchange: amq.direct, maxRetries: 21 }"),
    );
    expect(message).toContain("/routing/defaultTopic (ROUTING_DEFAULT_TOPIC): must be words");
    expect(message).toContain("/routing/defaultExchange (ROUTING_DEFAULT_EXCHANGE): must be letters");
    expect(message).toContain("/routing/maxRetries (ROUTING_MAX_RETRIES): expected at most 20");
    expect(messageOf(() => load("routing: { defaultRoutingKey: a }"))).toContain("expected an exchange beside it");
  });

  test("an empty one says nothing", () => {
    for (const text of ["{}", "api:\n", "# nothing\n"]) expect(load(text).settings.PORT).toBe(3000);
  });
});

test("describeSettings() shows what is in force and where it comes from, and no secret", () => {
  const shown = JSON.stringify(
    describeSettings(load(WHOLE, { TROUPE_ADMIN_KEY: "canary-0123456789-kkkk-0123456789" })),
  );
  expect(shown).toContain('{"name":"API_RATE_LIMIT","value":"50","origin":');
  expect(shown).toContain('"name":"TROUPE_ADMIN_KEY","value":"set","origin":"environment"');
  expect(shown).toContain("postgres://db/x");
  expect(shown).not.toContain("[object");
  expect(shown).not.toContain("hunter2");
  expect(shown).not.toContain("kkkk");
});

test("followSettings() takes over limits, keeps them when the file breaks, and says what needs a restart", async () => {
  const lines: string[] = [];
  const log: Log = (level, event, fields) => void lines.push(`${level} ${event} ${JSON.stringify(fields)}`);
  const live = followSettings(load("api: { rateLimit: 10 }"), { TROUPE_CONFIG: path, TROUPE_DATA: folder }, log, 5);
  const within = (what: string, so: () => boolean) => eventually(what, 5_000, async () => so());

  writeFileSync(path, "api: { rateLimit: 20, address: '127.0.0.1:9' }");
  await within("the limit is another", () => live.current().API_RATE_LIMIT === 20);
  expect(live.current().PORT).toBe(3000);
  const described = (name: string) => live.described().find((setting) => setting.name === name);
  expect(described("API_RATE_LIMIT")).toMatchObject({ value: "20", origin: expect.stringContaining("/api/rateLimit") });
  expect(described("PORT")).toMatchObject({ value: "3000", origin: "default" });
  expect(lines.join("\n")).toContain('config:restart-needed {"path":');
  expect(lines.join("\n")).toContain('"for":["PORT"]');

  writeFileSync(path, "api: { rateLimit: 20 }\nrouting: { defaultTopic: spare.v1, maxRetries: 2 }");
  await within("routing is another", () => live.current().ROUTING_DEFAULT_TOPIC === "spare.v1");
  expect(live.current().ROUTING_MAX_RETRIES).toBe(2);

  writeFileSync(path, "api: { rateLimt: 30 }");
  await within("the file is refused", () => lines.some((line) => line.includes("did you mean rateLimit?")));
  rmSync(path);
  await within("the file is missed", () => lines.some((line) => line.includes("cannot be read")));
  expect(live.current().API_RATE_LIMIT).toBe(20);

  writeFileSync(path, "api: { rateLimit: 40 }");
  await within("the limit follows again", () => live.current().API_RATE_LIMIT === 40);
  live.stop();
});
