import * as v from "valibot";
import { MAX_REPLICAS, Replicas } from "../service/messages.ts";

/** Keys of a service that this version takes. */
export const SERVICE_KEYS = ["image", "replicas", "command", "env", "ports", "resources"] as const;
/** Keys that a service will have one day: refused by name, so that nobody believes they are in force. */
export const FUTURE_KEYS = ["volumes", "health", "update", "scale", "dependsOn"] as const;
export const RESOURCE_KEYS = ["memory", "cpus", "pids"] as const;
export const MAX_SERVICES = 100;

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const MEMORY = /^(\d{1,9}(?:\.\d{1,3})?)(B|kB|MB|GB|KiB|MiB|GiB)$/;
const PORT = /^(?:(\d{1,5}):)?(\d{1,5})$/;

const Text = (maxLength: number) =>
  v.pipe(
    v.string("must be text: put it in quotes"),
    v.maxLength(maxLength, `must be at most ${maxLength} characters`),
    v.check((text) => !text.includes("\0"), "must not contain NUL"),
  );
const PortNumber = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const PortText = v.pipe(
  v.string(),
  v.regex(PORT),
  v.transform((text) => {
    const [, host, container] = PORT.exec(text) ?? [];
    return { container: Number(container), host: host === undefined ? null : Number(host) };
  }),
  v.object({ container: PortNumber, host: v.nullable(PortNumber) }),
);
const RawPort = v.union(
  [
    v.pipe(
      PortNumber,
      v.transform((container) => ({ container, host: null })),
    ),
    PortText,
  ],
  `must be a container port from 1 to 65535, or "host:container"`,
);
const QUOTE_IT = "must be text, a whole number or a boolean: put anything else in quotes";
const EnvValue = v.pipe(
  v.union([Text(32_768), v.pipe(v.number(), v.safeInteger(QUOTE_IT)), v.boolean()], QUOTE_IT),
  v.transform(String),
);

/** The text of a memory size as bytes. */
const Memory = v.pipe(
  v.string('must be a size with its unit, as in "64MiB"'),
  v.regex(MEMORY, 'must be a size with its unit, as in "64MiB"'),
  v.transform((text) => {
    const [, amount, unit] = MEMORY.exec(text) ?? [];
    return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]);
  }),
  v.minValue(6 * UNITS.MiB, "must be at least 6MiB"),
);

/** A service as it is written in the file; unknown keys are found elsewhere, all of them at once. */
export const RawService = v.object(
  {
    image: Text(255),
    replicas: v.optional(v.pipe(Replicas, v.number()), 1),
    command: v.optional(
      v.pipe(v.array(Text(4_096), "must be a list of texts"), v.maxLength(64, "must be at most 64 texts")),
      [],
    ),
    env: v.optional(v.record(v.string(), EnvValue, "must be a map"), {}),
    ports: v.optional(v.pipe(v.array(RawPort, "must be a list"), v.maxLength(32, "must be at most 32 ports")), []),
    resources: v.optional(
      v.object(
        {
          memory: v.optional(Memory, "256MiB"),
          cpus: v.optional(v.pipe(v.number("must be a number"), v.minValue(0.01, "must be at least 0.01")), 1),
          pids: v.optional(
            v.pipe(v.number("must be a number"), v.integer("must be whole"), v.minValue(1, "must be at least 1")),
            128,
          ),
        },
        "must be a map",
      ),
      {},
    ),
  },
  "must be a map",
);
export type RawService = v.InferOutput<typeof RawService>;

export const REPLICAS_RANGE = `a whole number from 0 to ${MAX_REPLICAS}`;
export const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
