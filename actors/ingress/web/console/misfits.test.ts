import { expect, test } from "bun:test";
import { markedLines, misfitsOf } from "./misfits.ts";

test("misfitsOf() reads the places that a schema refused, and nothing out of other words", () => {
  expect(misfitsOf('/data must have the member "n"; /data/lines/0/sku must be a string')).toEqual([
    { pointer: "", message: 'must have the member "n"' },
    { pointer: "/lines/0/sku", message: "must be a string" },
  ]);
  expect(misfitsOf("the broker refused it")).toEqual([]);
});

test("markedLines() marks each place on the line where it begins, and what is missing at its parent", () => {
  const value = { lines: [{ sku: 7 }], "a/b": null };
  const marked = markedLines(value, [
    { pointer: "", message: "has no n" },
    { pointer: "/lines/0/sku", message: "must be a string" },
    { pointer: "/lines/0/quantity", message: "is missing" },
    { pointer: "/a~1b", message: "must be something" },
  ]);
  expect(marked.map(({ text }) => text).join("\n")).toBe(JSON.stringify(value, undefined, 2));
  expect(marked.filter(({ misfits }) => misfits.length > 0)).toEqual([
    { text: "{", misfits: ["has no n"] },
    { text: "    {", misfits: ["is missing"] },
    { text: '      "sku": 7', misfits: ["must be a string"] },
    { text: '  "a/b": null', misfits: ["must be something"] },
  ]);
});
