import { expect, test } from "bun:test";
import { readArguments } from "./options.ts";

test("bench measures every broker, beside a transaction of 10 s, unless told otherwise", () => {
  expect(readArguments(["relay"])).toEqual({
    help: false,
    json: false,
    report: false,
    delivered: false,
    names: ["relay"],
    options: { full: false, quick: false, sinks: ["nats", "kafka", "rabbitmq", "redis"], openTransactionMs: 10_000 },
  });
  const told = readArguments(["relay", "--json", "--sink", "redis,nats", "--open-transaction", "10m"]);
  expect(told.options).toEqual({ full: false, quick: false, sinks: ["redis", "nats"], openTransactionMs: 600_000 });
});

test("bench refuses a broker, a duration or an option that there is not", () => {
  expect(() => readArguments(["--sink", "pigeon"])).toThrow('Cannot measure with the sink "pigeon"');
  expect(() => readArguments(["--open-transaction", "long"])).toThrow();
  expect(() => readArguments(["--fast"])).toThrow(TypeError);
  expect(() => readArguments(["--full", "--quick"])).toThrow("--full or --quick");
});
