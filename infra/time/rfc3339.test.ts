import { expect, test } from "bun:test";
import { parseDateTime } from "./rfc3339.ts";

test("times of RFC 3339 are read, in all their spellings", () => {
  const at = Date.UTC(2026, 0, 31, 12, 0, 0);
  for (const text of [
    "2026-01-31T12:00:00Z",
    "2026-01-31t12:00:00z",
    "2026-01-31T13:00:00+01:00",
    "2026-01-31T11:30:00-00:30",
  ])
    expect([text, parseDateTime(text)]).toEqual([text, at]);
  expect(parseDateTime("2026-01-31T12:00:00.123456789Z")).toBe(at + 123);
  expect(parseDateTime("2016-12-31T23:59:60Z")).toBe(Date.UTC(2017, 0, 1));
  expect(parseDateTime("2016-12-31T15:59:60-08:00")).toBe(Date.UTC(2017, 0, 1));
  expect(parseDateTime("0001-01-01T00:00:00Z")).toBe(-62_135_596_800_000);
  expect(parseDateTime("2024-02-29T00:00:00Z")).toBe(Date.UTC(2024, 1, 29));
});

test("what no calendar or clock has is no time", () => {
  for (const text of [
    ...["2026-02-30T12:00:00Z", "2025-02-29T12:00:00Z", "2026-13-01T12:00:00Z", "2026-00-01T12:00:00Z"],
    ...["2026-01-31T24:00:00Z", "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z", "2026-01-31T12:00:60Z"],
    ...["2026-01-31T12:00:00", "2026-01-31 12:00:00Z", "2026-01-31T12:00Z", "2026-01-31", "2026-01-31T12:00:00+24:00"],
    ...["2026-01-31T12:00:00.Z", "+002026-01-31T12:00:00Z", "", "now", "2026-01-31T12:00:00Z\n"],
  ])
    expect([text, parseDateTime(text)]).toEqual([text, undefined]);
});
