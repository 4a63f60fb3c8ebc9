/** The forms that values of the environment may have, with the text that says what was expected. */
import * as v from "valibot";
import { trustedProxies } from "#actors/access/guard/client-address.ts";
import { Memory } from "#actors/orchestrator/config/values.ts";
import { readAddresses } from "#infra/base/address.ts";
import { type Duration, isDuration } from "#runtime";

export const text = v.pipe(v.string(), v.trim());
/** A variable that is set to nothing counts as not set. */
export const optional = <S extends v.GenericSchema<string, unknown>>(schema: S) =>
  v.optional(
    v.union([
      v.pipe(
        v.literal(""),
        v.transform(() => undefined),
      ),
      schema,
    ]),
  );
export const url = (...protocols: string[]) =>
  v.pipe(
    text,
    v.check(
      (value) => protocols.some((protocol) => value.startsWith(`${protocol}://`)) && URL.canParse(value),
      `expected ${protocols.map((p) => `${p}://host…`).join(" or ")}`,
    ),
  );
export const natsUrls = v.pipe(
  text,
  v.check(
    (value) =>
      readAddresses(value).every((at) => (at?.scheme === "nats" || at?.scheme === "tls") && at.hosts.length > 0),
    "expected nats://host:port, or several separated by commas",
  ),
);
export const hostPort = v.pipe(text, v.regex(/^[^\s:/]+:\d{1,5}$/, "expected host:port"));
export const hostPorts = v.pipe(
  text,
  v.regex(/^[^\s:/,]+:\d{1,5}(,\s*[^\s:/,]+:\d{1,5})*$/, "expected host:port, or several separated by commas"),
);
export const onOff = (other: "on" | "off") =>
  v.optional(v.pipe(text, v.picklist(["on", "off"], "expected on or off")), other);
export const port = v.pipe(
  text,
  v.regex(/^\d{1,5}$/, "expected a port number"),
  v.transform(Number),
  v.maxValue(65_535, "expected at most 65535"),
);
export const postgresUrl = optional(url("postgres", "postgresql"));
export const duration = v.custom<Duration>(
  (value) => typeof value === "string" && isDuration(value),
  'expected a duration, as in "500ms", "2s" or "15m"',
);

export const durations = v.pipe(
  text,
  v.transform((value) => value.split(",").map((one) => one.trim())),
  v.array(duration),
  v.maxLength(20),
);

const origin = v.pipe(
  text,
  v.check(
    (value) => URL.canParse(value) && new URL(value).origin === value && !value.includes("*"),
    "expected origins separated by commas, as in https://shop.example",
  ),
);
export const origins = v.pipe(
  text,
  v.transform((value) => (value === "" ? [] : value.split(","))),
  v.array(origin),
);

export const proxies = v.pipe(
  text,
  v.transform((value) => (value === "" ? [] : value.split(",").map((part) => part.trim()))),
  v.check((list) => {
    try {
      return trustedProxies(list).length === list.length;
    } catch {
      return false;
    }
  }, "expected addresses or networks separated by commas, as in 10.0.0.0/8"),
);
const SIZE = /^(\d{1,9})(B|KiB|MiB)?$/;
export const size = v.pipe(
  text,
  v.regex(SIZE, 'expected a size, as in "256KiB" or "1MiB"'),
  v.transform((value) => {
    const [, digits, unit] = SIZE.exec(value) ?? [];
    return Number(digits) * (unit === "MiB" ? 1024 ** 2 : unit === "KiB" ? 1024 : 1);
  }),
  v.minValue(1024, "expected at least 1KiB"),
  v.maxValue(32 * 1024 ** 2, "expected at most 32MiB"),
);
export const memory = v.pipe(text, Memory);
export const processors = v.pipe(
  text,
  v.regex(/^\d{1,5}(\.\d{1,3})?$/, "expected a number of processors, as in 4 or 0.5"),
  v.transform(Number),
  v.minValue(0.01, "expected at least 0.01"),
);
export const count = (least: number, most = 9_999_999) =>
  v.pipe(
    text,
    v.regex(/^\d{1,7}$/, "expected a whole number"),
    v.transform(Number),
    v.minValue(least, `expected at least ${least}`),
    v.maxValue(most, `expected at most ${most}`),
  );
