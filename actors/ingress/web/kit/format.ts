const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const NUMBER = new Intl.NumberFormat();
const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** As in `3 min. ago`. */
export function relative(at: number, now: number): string {
  const distance = at - now;
  for (const [unit, ms] of STEPS) if (Math.abs(distance) >= ms) return RELATIVE.format(Math.trunc(distance / ms), unit);
  return "now";
}

/** As in `29 Nov 2026, 07:15:58`. */
export function exact(at: number): string {
  return EXACT.format(at);
}

/** As in `850 ms`, `3.2 s`, `4 m 10 s`, `2 h 5 m`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 < 0.5 ? `${minutes} m` : `${minutes} m ${Math.round(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `price` in minor units of its currency: 450 EUR is €4.50, 450 JPY is ¥450. */
export function money(minor: number, currency: string): string {
  try {
    const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
    return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
  } catch {
    return `${minor} ${currency}`;
  }
}

export function count(value: number): string {
  return NUMBER.format(value);
}

/** As in `12.4K`. */
export function compact(value: number): string {
  return COMPACT.format(value);
}

/** As in `1 order`, `3 orders`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Shortened in the middle: `ord_0192…7f3a`. */
export function shorten(id: string, most = 18): string {
  if (id.length <= most) return id;
  const half = Math.floor((most - 1) / 2);
  return `${id.slice(0, half + 2)}…${id.slice(-(half - 2))}`;
}
