import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiReports, compareApi } from "./report.ts";

let root = "";
const write = (path: string, text: string): void => writeFileSync(join(root, path), text);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "troupe-api-"));
  mkdirSync(join(root, "infra/docs/api"), { recursive: true });
  write("package.json", JSON.stringify({ exports: { "./door": "./door.ts" } }));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("a report holds what callers see, and nothing else", async () => {
  write(
    "door.ts",
    `/** Adds. */
export function add(a: number, b = 1): number { return a + b; }
export function both(a: string): string;
export function both(a: number): number;
export function both(a: never): unknown { return a; }
export class Box<T> {
  readonly size: number = 3; // how large
  #secret = 1;
  private hidden = 2;
  /** Opens. */
  open(how: () => T): T { return how(); }
}
export interface Shape { /** In pixels. */ readonly width: number }
export const LIMITS = { most: 5 } as const;
`,
  );
  const report = (await apiReports(root)).get("troupe-door.md") ?? "";
  expect([...report.matchAll(/```ts\n([^]*?)\n```/gu)].map(([, text]) => text)).toEqual([
    "class Box<T> {\n  readonly size: number;\n  open(how: () => T): T }",
    "const LIMITS = { most: 5 } as const",
    "interface Shape {\n  readonly width: number }",
    "function add(a: number, b = 1): number",
    "function both(a: string): string\nfunction both(a: number): number",
  ]);
});

test("a change is told line by line until it is accepted", async () => {
  write("door.ts", "export type Way = 1 | 2;\n");
  expect((await compareApi(root, true)).length).toBeGreaterThan(0);
  expect(await compareApi(root, false)).toEqual([]);
  write("other.ts", "export type Way = 1;\n");
  write("package.json", JSON.stringify({ exports: { "./door": "./other.ts" } }));
  expect(await compareApi(root, false)).toEqual(["troupe-door.md - type Way = 1 | 2", "troupe-door.md + type Way = 1"]);
  await compareApi(root, true);
  write("package.json", JSON.stringify({ exports: {} }));
  expect(await compareApi(root, false)).toEqual(["troupe-door.md - the door is gone"]);
});
