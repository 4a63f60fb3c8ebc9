import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";

test.each(["postgres", "sqlite"])(
  "migrations of %s are numbered one after the other, and no two share a number",
  (store) => {
    const files = readdirSync(join(import.meta.dirname, "..", store, "migrations")).toSorted();
    expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
  },
);
