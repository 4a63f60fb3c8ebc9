import { expect, setDefaultTimeout, test } from "bun:test";
import { parseOptions } from "./options.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("parseOptions() starts every server on the usual port without flags", () => {
  const options = parseOptions([], {});
  expect(options).toMatchObject({ port: 3000, nodes: 1, seed: true, infra: undefined });
  expect(options.servers).toContain("kafka");
});

test("parseOptions() takes the port from PORT, and from --port before that", () => {
  expect(parseOptions([], { PORT: "4000" }).port).toBe(4000);
  expect(parseOptions(["--port", "5000"], { PORT: "4000" }).port).toBe(5000);
});

test("parseOptions() leaves out what --without lists, however it is written", () => {
  expect(parseOptions(["--without", "kafka, rabbitmq", "--without=docker"], {}).servers).toEqual([
    "postgres",
    "nats",
    "redis",
    "temporal",
  ]);
});

test("parseOptions() refuses an unknown server and names the known ones", () => {
  expect(() => parseOptions(["--without", "kafak"], {})).toThrow(
    'Cannot leave out "kafak" as there is no such server: use nats, kafka',
  );
});

test("parseOptions() refuses to leave out the database", () => {
  expect(() => parseOptions(["--without", "postgres"], {})).toThrow("DATABASE_URL");
});

test("parseOptions() refuses a port that is none", () => {
  expect(() => parseOptions(["--port", "70000"], {})).toThrow(
    'Cannot use "70000" for --port: use a whole number from 1 to 65535',
  );
});
