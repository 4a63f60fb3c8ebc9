/** Members that many requests have, with a JSON Schema that says what their checks say. */
import * as v from "valibot";
import { parseDateTime } from "#infra/time/rfc3339.ts";
import { durationMs, isDuration } from "#runtime";
import { describedBy } from "./json-schema.ts";

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** A time, as in `2026-01-31T12:00:00Z` (RFC 3339). */
export const Time = v.pipe(
  v.string(),
  v.check((text) => parseDateTime(text) !== undefined, "must be a time, as in 2026-01-31T12:00:00Z"),
  describedBy({ type: "string", format: "date-time" }),
);

/** As {@link Time}, in milliseconds since the epoch. */
export const TimeMs = v.pipe(
  Time,
  v.transform((text) => parseDateTime(text) ?? 0),
);

/**
 * A length of time, as in `"15m"`, of at most `most`.
 * @param most with its unit, as in `"30d"`.
 */
export function durationUpTo(most: "7d" | "30d") {
  const mostMs = durationMs(most);
  return v.pipe(
    v.string(),
    v.check(
      (text) => isDuration(text) && durationMs(text) <= mostMs,
      `must be a duration of at most ${most}, as in "15m" or "1h"`,
    ),
    describedBy({ type: "string", pattern: patternUpTo(mostMs), examples: ["15m", "1h"] }),
  );
}

/** Whole numbers of each unit with one digit less than the most that fits: every one of them fits. */
function patternUpTo(mostMs: number): string {
  const units = Object.entries(UNITS).map(([unit, ms]) => {
    const digits = String(Math.floor(mostMs / ms)).length - 1;
    return digits === 0 ? `[0-${Math.floor(mostMs / ms)}]${unit}` : `[0-9]{1,${digits}}${unit}`;
  });
  return `^(?:${units.join("|")})$`;
}
