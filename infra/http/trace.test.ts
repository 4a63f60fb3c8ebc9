import { expect, test } from "bun:test";
import { traceFrom, traceOf } from "./trace.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

test("traceFrom() carries the caller's trace on under a span of its own", () => {
  const { traceId, traceparent } = traceFrom(`00-${TRACE}-00f067aa0ba902b7-01`);
  expect(traceId).toBe(TRACE);
  expect(traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
  expect(traceparent).not.toContain("00f067aa0ba902b7");
});

test("traceFrom() begins a new trace where the header is missing or malformed", () => {
  for (const header of [
    null,
    "",
    "x",
    `00-${TRACE}-00f067aa0ba902b7`,
    `ff-${TRACE}-00f067aa0ba902b7-01`,
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-00f067aa0ba902b7-01-x`,
    `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`,
  ]) {
    const { traceId, traceparent } = traceFrom(header);
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(traceId).not.toBe(TRACE);
    expect(traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  }
});

test("traceOf() is the same for a request's whole life", () => {
  const request = new Request("http://localhost/");
  expect(traceOf(request)).toBe(traceOf(request));
});
