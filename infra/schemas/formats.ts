/** The formats that are checked. One that is not here is refused: it would check nothing. */
import {
  isDate,
  isDuration,
  isEmail,
  isHostname,
  isIdnEmail,
  isIPv4,
  isIPv6,
  isIri,
  isIriReference,
  isJsonPointer,
  isRegex,
  isRelativeJsonPointer,
  isUri,
  isUriReference,
  isUriTemplate,
  isUuid,
} from "@hyperjump/json-schema-formats";
import { isIdnHostname } from "idn-hostname";
import { compareNumbers, isNumber, isWhole, type JsonNumber } from "#infra/json/exact.ts";
import { parseDateTime } from "#infra/time/rfc3339.ts";

type Format = (value: unknown) => boolean;

/** Longer than any honest one; some checks of names take time that grows with the square of the text. */
const MAX_TEXT = 10_000;

/** A format of texts: other values fit it. */
function text(check: (value: string) => boolean): Format {
  return (value) => typeof value !== "string" || (value.length <= MAX_TEXT && check(value));
}

/** Names of hosts (RFC 5890). A dot at the end is none of theirs. */
function isInternationalName(name: string): boolean {
  if (/[.\uff0e\u3002\uff61]$/.test(name)) return false;
  try {
    return isIdnHostname(name);
  } catch {
    return false;
  }
}

function within(min: string, max: string): Format {
  const [low, high] = [{ rawJSON: min }, { rawJSON: max }];
  return (value) => !isNumber(value) || (isWhole(value) && isBetween(value, low, high));
}

function isBetween(value: JsonNumber, low: JsonNumber, high: JsonNumber): boolean {
  return compareNumbers(value, low) >= 0 && compareNumbers(value, high) <= 0;
}

/** The formats of the drafts, and those numbers of OpenAPI that can be checked. */
export const FORMATS: ReadonlyMap<string, Format> = new Map([
  ["date-time", text((value) => parseDateTime(value) !== undefined)],
  ["date", text(isDate)],
  ["time", text((value) => parseDateTime(`2026-01-01T${value}`) !== undefined)],
  ["duration", text(isDuration)],
  ["email", text(isEmail)],
  ["idn-email", text(isIdnEmail)],
  ["hostname", text((name) => isHostname(name) && isInternationalName(name))],
  ["idn-hostname", text(isInternationalName)],
  ["ipv4", text(isIPv4)],
  ["ipv6", text(isIPv6)],
  ["uri", text(isUri)],
  ["uri-reference", text(isUriReference)],
  ["iri", text(isIri)],
  ["iri-reference", text(isIriReference)],
  ["uuid", text(isUuid)],
  ["uri-template", text(isUriTemplate)],
  ["json-pointer", text(isJsonPointer)],
  ["relative-json-pointer", text(isRelativeJsonPointer)],
  ["regex", text(isRegex)],
  ["int32", within("-2147483648", "2147483647")],
  ["int64", within("-9223372036854775808", "9223372036854775807")],
]);
