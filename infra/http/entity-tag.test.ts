import { expect, test } from "bun:test";
import { taggedResponse } from "./entity-tag.ts";

const asking = (match?: string): Request =>
  new Request("http://localhost/orders/ord_1", match === undefined ? {} : { headers: { "if-none-match": match } });

test("taggedResponse() answers 304 to who has the same content, and 200 once it has changed", async () => {
  const first = taggedResponse(asking(), 200, { status: "placed" });
  const tag = first.headers.get("etag") ?? "";
  expect([first.status, first.headers.get("content-type"), first.headers.get("cache-control")]).toEqual([
    200,
    "application/json",
    "private, no-cache",
  ]);
  expect(await first.json()).toEqual({ status: "placed" });
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
    const again = taggedResponse(asking(known), 200, { status: "placed" });
    expect([again.status, again.headers.get("etag"), await again.text()]).toEqual([304, tag, ""]);
    expect(again.headers.get("x-trace-id")).toMatch(/^[0-9a-f]{32}$/);
  }
  const changed = taggedResponse(asking(tag), 200, { status: "paid" });
  expect([changed.status, changed.headers.get("etag") === tag]).toEqual([200, false]);
});
