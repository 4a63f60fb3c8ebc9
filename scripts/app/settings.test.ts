import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments } from "./arguments.ts";
import { databasesOf } from "./databases.ts";
import { describeVariables, readSettings, SettingsError } from "./settings.ts";
import { stackAddresses } from "./stack-addresses.ts";

const messageOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return "";
};

describe("readSettings()", () => {
  test("has a default for everything but the addresses", () => {
    const settings = readSettings({});
    expect(settings).toMatchObject({
      PORT: 3000,
      HOST: "127.0.0.1",
      TROUPE_SEED: "on",
      TROUPE_CLUSTER: "default",
      DELIVERY_STEP: "1s",
      LOG_LEVEL: "info",
    });
    expect(settings.TROUPE_ROLES).toEqual(["ingress", "actors", "workflows", "scaler"]);
    expect(settings.DATABASE_URL).toBeUndefined();
  });

  test("takes the environment before the addresses of a running stack, and an empty variable as not set", () => {
    const stack = { NATS_URL: "nats://stack:4222", KAFKA_BROKERS: "stack:9092" };
    expect(readSettings({ NATS_URL: "nats://own:4222", KAFKA_BROKERS: "" }, stack)).toMatchObject({
      NATS_URL: "nats://own:4222",
      KAFKA_BROKERS: "stack:9092",
    });
  });

  test("takes several servers of a kind, separated by commas", () => {
    const many = { NATS_URL: "nats://u:p@a:4222,nats://b:4222", KAFKA_BROKERS: "a:9092, b:9092" };
    expect(readSettings(many)).toMatchObject(many);
  });

  test("takes a password with commas and signs for NATS", () => {
    const NATS_URL = "nats://u:p,a@s@a:4222,nats://b:4222";
    expect(readSettings({ NATS_URL }).NATS_URL).toBe(NATS_URL);
  });

  test("wants certificate and key together, and mechanism, user and password of Kafka", () => {
    expect(messageOf(() => readSettings({ TLS_CERT_FILE: "/c.pem" }))).toContain(
      "TLS_CERT_FILE and TLS_KEY_FILE together",
    );
    const half = { KAFKA_SASL_MECHANISM: "PLAIN", KAFKA_SASL_USERNAME: "u" };
    expect(messageOf(() => readSettings(half))).toContain("KAFKA_SASL_PASSWORD together");
    expect(messageOf(() => readSettings({ ...half, KAFKA_SASL_MECHANISM: "GSSAPI" }))).toContain(
      "expected one of PLAIN",
    );
    expect(readSettings({ ...half, KAFKA_SASL_PASSWORD: "s3cret" }).KAFKA_SASL_PASSWORD).toBe("s3cret");
  });

  test("never shows what an address or a password was, when it does not fit", () => {
    for (const given of [
      { KAFKA_BROKERS: "u:s3cret@h" },
      { NATS_URL: "nats://u:s3/cret@h" },
      { DATABASE_URL: "mysql://u:s3cret@h" },
      { TEMPORAL_ADDRESS: "u:s3cret@h" },
      { DOCKER_HOST: "ssh://u:s3cret@h" },
    ])
      expect(messageOf(() => readSettings(given))).not.toContain("s3");
  });

  test("names every variable that does not fit, at once", () => {
    const message = messageOf(() =>
      readSettings({
        PORT: "70000",
        NATS_URL: "http://x",
        KAFKA_BROKERS: "x",
        TROUPE_ROLES: "actors,dancer",
        DELIVERY_STEP: "soon",
        LOG_LEVEL: "loud",
        TROUPE_CLUSTER: "A-B",
      }),
    );
    for (const name of [
      "PORT",
      "NATS_URL",
      "KAFKA_BROKERS",
      "TROUPE_ROLES",
      "DELIVERY_STEP",
      "LOG_LEVEL",
      "TROUPE_CLUSTER",
    ])
      expect(message).toContain(`  ${name}: expected`);
  });

  test("shows no address that does not fit, since it may hold a password", () => {
    expect(messageOf(() => readSettings({ DATABASE_URL: "mysql://u:hunter2@h/d" }))).not.toContain("hunter2");
  });

  test("refuses to serve others without authentication, and says what to do", () => {
    for (const HOST of ["0.0.0.0", "::", "10.0.0.1", "127.evil.example", "1270.0.0.1"])
      expect(messageOf(() => readSettings({ HOST }))).toContain("HOST: expected a loopback address");
    for (const HOST of ["127.0.0.1", "127.1.2.3", "localhost", "::1"]) expect(readSettings({ HOST }).HOST).toBe(HOST);
    expect(messageOf(() => readSettings({ HOST: "0.0.0.0", TROUPE_AUTH: "off" }))).toContain("set TROUPE_AUTH=on");
    const chaos = { TROUPE_AUTH: "on", TROUPE_CHAOS: "on" };
    expect(messageOf(() => readSettings({ HOST: "0.0.0.0", ...chaos }))).toContain("faults on purpose");
    expect(readSettings(chaos).TROUPE_CHAOS).toBe("on");
    expect(readSettings({ HOST: "0.0.0.0", TROUPE_AUTH: "on" })).toMatchObject({ HOST: "0.0.0.0", TROUPE_AUTH: "on" });
  });

  test("refuses to serve others on passwords that everybody knows, and shows none (S30)", () => {
    const others = { HOST: "0.0.0.0", TROUPE_AUTH: "on" };
    const urls = {
      DATABASE_URL: "postgres://postgres:postgres@db/x",
      RABBITMQ_URL: "amqp://guest:guest@broker",
      REDIS_URL: "redis://default:changeme@cache",
      NATS_URL: "nats://n1:4222,nats://troupe:troupe@n2:4222",
    };
    const message = messageOf(() => readSettings({ ...others, ...urls }));
    for (const name of Object.keys(urls)) expect(message).toContain(`${name}: expected a password`);
    for (const word of ["guest", "changeme"]) expect(message).not.toContain(word);
    expect(readSettings({ ...urls, HOST: "127.0.0.1" }).REDIS_URL).toBe(urls.REDIS_URL);
    const good = {
      DATABASE_URL: "postgres://app:x7Gq2@db/x",
      NATS_URL: "nats://n1:4222",
      RABBITMQ_URL: "amqp://guest:guest@127.0.0.1",
    };
    expect(readSettings({ ...others, ...good }).DATABASE_URL).toBe(good.DATABASE_URL);
    expect(messageOf(() => readSettings({ TROUPE_ADMIN_KEY: "x".repeat(40) }))).toContain("expected random characters");
    for (const ALLOWED_ORIGINS of ["*", "https://*", "null", "https://a.example/path"])
      expect(messageOf(() => readSettings({ ALLOWED_ORIGINS }))).toContain("ALLOWED_ORIGINS: expected origins");
  });

  test("shows no key that does not fit, and names proxies and limits that do not", () => {
    const message = messageOf(() =>
      readSettings({ TROUPE_ADMIN_KEY: "too-short-canary", TRUSTED_PROXIES: "10.0.0.0/8,nginx", API_RATE_LIMIT: "-1" }),
    );
    for (const name of ["TROUPE_ADMIN_KEY: expected 32 to 200", "TRUSTED_PROXIES: ", "API_RATE_LIMIT: "])
      expect(message).toContain(name);
    expect(message).not.toContain("canary");
  });
});

describe("databasesOf()", () => {
  test("gives each service a database of its own on the shared server", () => {
    const databases = databasesOf(readSettings({ DATABASE_URL: "postgres://u:p@h:5432/any?sslmode=disable" }));
    expect(databases["order"]).toBe("postgres://u:p@h:5432/troupe_order?sslmode=disable");
    expect(new Set(Object.values(databases)).size).toBe(9);
  });

  test("keeps clusters apart, and a service's own address as it is", () => {
    const databases = databasesOf(
      readSettings({ DATABASE_URL: "postgres://h/x", STOCK_DATABASE_URL: "postgres://s/mine", TROUPE_CLUSTER: "two" }),
    );
    expect([databases["order"], databases["stock"]]).toEqual(["postgres://h/troupe_two_order", "postgres://s/mine"]);
  });
});

test("readArguments() makes variables of flags, and refuses what it does not know", () => {
  expect(readArguments(["--port", "3001", "--data", "d"])).toEqual({
    help: false,
    environment: { PORT: "3001", TROUPE_DATA: "d" },
  });
  expect(readArguments(["--help"]).help).toBe(true);
  expect(messageOf(() => readArguments(["--prot", "1"]))).toContain("--prot");
});

test("a certificate needs its key, and the other way round", () => {
  expect(readSettings({ API_TLS_CERT: "/tls.crt", API_TLS_KEY: "/tls.key" })).toMatchObject({
    API_TLS_KEY: "/tls.key",
  });
  for (const one of [{ API_TLS_CERT: "/tls.crt" }, { API_TLS_KEY: "/tls.key" }])
    expect(() => readSettings(one)).toThrow(/API_TLS_CERT: expected a certificate and its key, or neither/);
});

test("a secret key is 32 bytes in base64, or several, and is not shown", () => {
  const good = Buffer.alloc(32, 7).toString("base64");
  const read = (TROUPE_SECRET_KEY: string) => readSettings({ NATS_URL: "nats://n:4222", TROUPE_SECRET_KEY });
  expect(read(`${good},${good}`).TROUPE_SECRET_KEY).toBe(`${good},${good}`);
  for (const bad of ["canary", `${good},canary`]) {
    expect(() => read(bad)).toThrow("TROUPE_SECRET_KEY: expected 32 bytes in base64");
    expect(() => read(bad)).not.toThrow("canary");
  }
});

test("describeVariables() names what a person may set", () => {
  for (const name of ["PORT", "DATABASE_URL", "TROUPE_ROLES", "TROUPE_CLUSTER"])
    expect(describeVariables()).toContain(name);
  expect(describeVariables()).toContain("(ingress,actors,workflows,scaler)");
  expect(describeVariables()).not.toContain("[object");
});

describe("stackAddresses()", () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), "troupe-settings-"));
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  test("reads assignments and skips the rest", () => {
    writeFileSync(join(dir, "env"), "NATS_URL=nats://h:1?a=b\n# no\nx=y\n\nEMPTY=\n");
    expect(stackAddresses(dir)).toEqual({ NATS_URL: "nats://h:1?a=b", EMPTY: "" });
  });

  test("is empty where no stack runs", () => {
    expect(stackAddresses(join(dir, "none"))).toEqual({});
  });
});
