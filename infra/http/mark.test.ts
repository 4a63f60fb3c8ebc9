import { expect, test } from "bun:test";
import { jsonResponse, mark } from "./mark.ts";
import { traceOf } from "./trace.ts";

const request = (): Request => new Request("http://localhost/");

test("jsonResponse() carries the trace, the type and what the route adds; without a body no type", async () => {
  const asked = request();
  const answer = jsonResponse(asked, 201, { a: 1 }, { location: "/a" });
  expect(await answer.text()).toBe('{"a":1}');
  expect(Object.fromEntries(answer.headers)).toEqual({
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
    "x-trace-id": traceOf(asked).traceId,
    location: "/a",
  });
  const empty = jsonResponse(asked, 204, undefined, {});
  expect([empty.status, empty.headers.get("content-type"), empty.headers.get("x-trace-id")]).toEqual([
    204,
    null,
    traceOf(asked).traceId,
  ]);
});

test("mark() gives any answer its trace, also one that brought another's", () => {
  const asked = request();
  const answer = new Response("page", { headers: { "x-trace-id": "of-somebody-else" } });
  mark(answer, asked);
  expect(answer.headers.get("x-trace-id")).toBe(traceOf(asked).traceId);
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});
