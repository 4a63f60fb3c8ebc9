import type { Log } from "#runtime";

/** Levels, least important first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * A log that writes one JSON object per line: `{time, level, event, …fields}`. Errors among the fields become their
 * stack; a field that is no JSON becomes text: a log line is never the reason of a failure.
 */
export function jsonLog(
  least: LogLevel,
  write: (line: string) => void = (line) => void process.stdout.write(line),
): Log {
  const from = LOG_LEVELS.indexOf(least);
  return (level, event, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < from) return;
    const head = { time: new Date().toISOString(), level, event };
    let line: string;
    try {
      line = JSON.stringify({ ...head, ...fields }, printable);
    } catch {
      line = JSON.stringify({ ...head, fields: "not JSON" });
    }
    write(`${line}\n`);
  };
}

function printable(_key: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message;
  return typeof value === "bigint" ? String(value) : value;
}
