import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { errorCodesPage } from "./error-codes.ts";
import { asyncApi, eventsPage } from "./events.ts";
import { GENERATED } from "./generated.ts";

const ROOT = resolve(import.meta.dir, "../..");

test.each(GENERATED)("$path is what the code makes of it (bun scripts/docs/main.ts --write)", ({ path, text }) => {
  expect(readFileSync(join(ROOT, path), "utf8")).toBe(text(ROOT));
});

test("the page of error codes has those of calls, refusals, routes, doors, workflows and engines", () => {
  const page = errorCodesPage(ROOT);
  for (const row of [
    "| 503 | `overloaded` | yes |",
    "| 422 | `order.mixed_currencies` |",
    "| 404 | `<noun>.not_found` |",
    "| 401 | `key.missing` | This needs a key",
    "| 421 | `host.unknown` |",
    "`streams.full`",
    "| `workflow_conflict` |",
    "| `port_taken` | yes |",
  ])
    expect(page).toContain(row);
});

test("the catalogue of events and its AsyncAPI document name the same events, and each reference leads somewhere", () => {
  const named = [...eventsPage(ROOT).matchAll(/^\| `([a-z.-]+\.v\d+)` \|/gmu)].map(([, event = ""]) => event);
  const document = parse(asyncApi(ROOT)) as Record<string, Record<string, unknown>>;
  expect(named).toContain("order.placed.v1");
  expect(Object.keys(document["channels"] ?? {}).toSorted()).toEqual(named.toSorted());
  for (const [, pointer = ""] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/gu)) {
    const [section = "", kind = "", ...name] = pointer.split("/");
    const target =
      section === "channels"
        ? document[section]?.[kind]
        : (document[section]?.[kind] as object | undefined)?.[name.join("/") as never];
    expect(target).toBeDefined();
  }
});
