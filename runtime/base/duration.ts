/** A length of time as text: `"500ms"`, `"2s"`, `"15m"`, `"1h"`, `"7d"`. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * Whether a text is a {@link Duration}.
 *
 * @example
 * ```ts
 * isDuration("15m"); // true
 * isDuration("a while"); // false
 * ```
 */
export function isDuration(text: string): text is Duration {
  return PATTERN.test(text);
}

/**
 * The milliseconds of a duration text.
 * @throws {TypeError} when the text is not a number followed by `ms`, `s`, `m`, `h` or `d`.
 *
 * @example
 * ```ts
 * durationMs("1.5s"); // 1500
 * ```
 */
export function durationMs(text: string): number {
  const match = PATTERN.exec(text);
  if (!match)
    throw new TypeError(
      `Cannot read the duration "${text}": expected a number and a unit, as in "500ms", "2s" or "15m"`,
    );
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
