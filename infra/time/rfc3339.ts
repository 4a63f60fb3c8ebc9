/** Times as RFC 3339 writes them: `2026-01-31T12:00:00.5+01:00`, also with `t`, `z` and a leap second. */

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const MINUTE_MS = 60_000;

/**
 * A time in milliseconds since the epoch; `undefined`: the text is none. Days that the calendar does not have are none, and a
 * second 60 is one at the end of a day in UTC alone. It counts as the second after it.
 */
export function parseDateTime(text: string): number | undefined {
  const [whole, year, month, day, hour, minute, second, fraction = "", sign, offsetHour = "0", offsetMinute = "0"] =
    DATE_TIME.exec(text) ?? [];
  if (whole === undefined) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(offsetHour) > 23 || Number(offsetMinute) > 59)
    return undefined;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1);
  const minutes = Number(hour) * 60 + Number(minute) - offset;
  const leap = second === "60" && (minutes + 2 * 1_440) % 1_440 === 1_439;
  if (Number(second) > 59 && !leap) return undefined;
  return date.getTime() + minutes * MINUTE_MS + Math.floor(Number(`${second}${fraction}`) * 1_000);
}
