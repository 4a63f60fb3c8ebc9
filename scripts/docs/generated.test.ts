import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { errorCodesPage } from "./error-codes.ts";
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
