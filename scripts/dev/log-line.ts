/** Makes one readable line of one JSON log event. */

const RANK: Readonly<Record<string, number>> = {
  trace: 10,
  debug: 20,
  info: 30,
  warn: 40,
  warning: 40,
  error: 50,
  fatal: 60,
};
const SHOWN_FROM = 30;
const MESSAGE_KEYS = ["message", "msg", "event"];
const HIDDEN = new Set([
  ...MESSAGE_KEYS,
  "level",
  "severity",
  "time",
  "timestamp",
  "ts",
  "pid",
  "hostname",
  "service",
  "traceId",
  "spanId",
]);
const LONGEST_VALUE = 160;
/** Printed by the Temporal worker under Bun, past every logger: it means that `__stack_trace` queries answer nothing. */
const KNOWN_NOISE = ["v8.promiseHooks.createHook is not available"];

/**
 * `{"level":"warn","message":"sink paused","sink":"kafka"}` → `warn  sink paused  sink=kafka`. A line that is no JSON object is answered
 * as it is (a stack trace, a library's own output); an event below `info` is answered with undefined.
 */
export function readableLine(line: string): string | undefined {
  const event = parse(line);
  if (event === undefined) return KNOWN_NOISE.some((noise) => line.includes(noise)) ? undefined : line;
  const level = event["level"] ?? event["severity"] ?? "info";
  const rank = typeof level === "number" ? level : (RANK[String(level).toLowerCase()] ?? SHOWN_FROM);
  if (rank < SHOWN_FROM) return undefined;
  const name = typeof level === "number" ? nameOf(rank) : String(level).toLowerCase();
  const message = MESSAGE_KEYS.map((key) => event[key]).find((value) => typeof value === "string") ?? "";
  const rest = Object.entries(event).filter(
    ([key, value]) => !HIDDEN.has(key) && value !== undefined && value !== null,
  );
  return [name.padEnd(5), String(message), ...rest.map(([key, value]) => `${key}=${short(value)}`)]
    .filter((part) => part !== "")
    .join("  ");
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function nameOf(rank: number): string {
  return Object.entries(RANK).find(([, value]) => value >= rank)?.[0] ?? "fatal";
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
