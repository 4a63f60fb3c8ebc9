import { Cron } from "croner";
import * as v from "valibot";
import { durationMs, isDuration } from "#runtime";
import { SERVICE_NAME } from "../service/messages.ts";

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const MEMORY = /^(\d{1,15}(?:\.\d{1,3})?)(B|kB|MB|GB|KiB|MiB|GiB)$/;
const PORT = /^(?:(\d{1,5}):)?(\d{1,5})$/;
const VOLUME = /^([^:]{1,1024}):(\/[^:]{0,1023})(?::(ro|rw))?$/;

/** The names that environment variables may have: those of POSIX, and what some programs ask for, as `discovery.type`. */
export const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;

export const Text = (maxLength: number) =>
  v.pipe(
    v.string("must be text: put it in quotes"),
    v.maxLength(maxLength, `must be at most ${maxLength} characters`),
    v.check((text) => !text.includes("\0"), "must not contain NUL"),
  );

export const Whole = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
};

/** `"500ms" "2s" "15m"`, as milliseconds. */
export const DurationText = (minMs: number, maxMs: number) => {
  const message = `must be a duration from ${textOf(minMs)} to ${textOf(maxMs)}, as in "2s"`;
  return v.pipe(
    v.string(message),
    v.check((text) => isDuration(text), message),
    v.transform((text) => durationMs(text)),
    v.minValue(minMs, message),
    v.maxValue(maxMs, message),
  );
};

/** `10%`, or a number of percent. */
export const Percent = (min: number, max: number) => {
  const message = `must be a share from ${min}% to ${max}%, as in "50%"`;
  return v.pipe(
    v.union([v.pipe(v.string(), v.regex(/^\d{1,3}(\.\d{1,2})?%$/)), v.number()], message),
    v.transform((value) => (typeof value === "number" ? value : Number(value.slice(0, -1)))),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};

export const NameText = v.pipe(
  v.string("must be a name"),
  v.regex(SERVICE_NAME, "must be a name: lower case, digits and hyphens, at most 63, a letter first"),
);

/** A cron line of five fields; what some systems understand beyond them (seconds, `@daily`, `L`, `#`) is not taken. */
export function isCron(text: string): boolean {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((field) => /^[\dA-Za-z*,/-]+$/.test(field))) return false;
  if (fields.some((field) => /[LW]$/i.test(field) && !/^[A-Za-z]{3}/.test(field))) return false;
  try {
    return new Cron(fields.join(" "), { paused: true, mode: "5-part" }).nextRun() !== null;
  } catch {
    return false;
  }
}

export function isZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

export const PortNumber = Whole(1, 65_535);
const PortText = v.pipe(
  v.string(),
  v.regex(PORT),
  v.transform((text) => {
    const [, host, container] = PORT.exec(text) ?? [];
    return { container: Number(container), host: host === undefined ? null : Number(host) };
  }),
  v.object({ container: PortNumber, host: v.nullable(PortNumber) }),
);
export const Port = v.union(
  [
    v.pipe(
      PortNumber,
      v.transform((container) => ({ container, host: null })),
    ),
    PortText,
  ],
  `must be a container port from 1 to 65535, or "host:container"`,
);

const QUOTE_IT = "must be text, a number or a boolean: put anything else in quotes";
/** A text as it was written, or the name of a secret. */
export const EnvValue = v.union(
  [
    Text(32_768),
    v.pipe(v.union([v.number(), v.boolean()]), v.transform(String)),
    v.strictObject({ secret: NameText }, "takes the key secret alone, as in { secret: token }"),
  ],
  QUOTE_IT,
);

/** The text of a memory size as bytes. */
export const Memory = v.pipe(
  v.string('must be a size with its unit, as in "64MiB"'),
  v.regex(MEMORY, 'must be a size with its unit, as in "64MiB"'),
  v.transform((text) => {
    const [, amount, unit] = MEMORY.exec(text) ?? [];
    return Math.round(Number(amount) * UNITS[unit as keyof typeof UNITS]);
  }),
  v.minValue(6 * UNITS.MiB, "must be at least 6MiB"),
);

const VOLUME_SHAPE = 'must be "name:/path" or "/host/path:/path", with ":ro" where it may not be written';
/** `data:/data`, `/srv/site:/www:ro`. */
export const Volume = v.pipe(
  v.string(VOLUME_SHAPE),
  v.regex(VOLUME, VOLUME_SHAPE),
  v.transform((text) => {
    const [, source = "", path = "", mode] = VOLUME.exec(text) ?? [];
    const readOnly = mode === "ro";
    return isPath(source)
      ? { kind: "bind" as const, source, path, readOnly }
      : { kind: "volume" as const, name: source, path, readOnly };
  }),
  v.check(
    ({ path }) => path !== "/" && !hasDots(path),
    "must lead to a path of the container below /, without . or ..",
  ),
  v.check((mount) => mount.kind === "bind" || SERVICE_NAME.test(mount.name), "must begin with the name of a volume"),
  v.check((mount) => mount.kind === "volume" || !hasDots(mount.source), "must not hold . or .. in its path"),
);

function isPath(source: string): boolean {
  return source.startsWith("/") || source.startsWith(".") || source.startsWith("~");
}

function hasDots(path: string): boolean {
  return path
    .replace(/^\.\//, "")
    .split("/")
    .some((part) => part === "." || part === ".." || part === "~");
}

/** A duration as it is written. */
export function textOf(ms: number): string {
  for (const [unit, size] of [
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1_000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** A size as it is written. */
export function memoryText(bytes: number): string {
  const mebibytes = bytes / UNITS.MiB;
  return Number.isInteger(mebibytes) ? `${mebibytes}MiB` : `${bytes}B`;
}
