import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** Files that are wrong on purpose, in a tree of their own that uses the project's configuration. */
const WRONG: Readonly<Record<string, string>> = {
  "runtime/turn.ts": [
    `import { readFile } from "node:fs/promises";`,
    `import { mailbox } from "./mailbox.ts";`,
    `export async function turn(kind: "command" | "query"): Promise<unknown> {`,
    `  readFile("state");`,
    `  switch (kind) { case "command": return mailbox; }`,
    `  [1].forEach(async () => { await turn("query"); });`,
    `  const anything: any = process.env;`,
    `  return [anything, Bun.version, Promise.withResolvers];`,
    `}`,
  ].join("\n"),
  "runtime/mailbox.ts": `import { turn } from "./turn.ts";\nexport const mailbox = [turn];`,
  "workflows/fulfil-order/activities.ts": `export const reserve = 1;`,
  "workflows/fulfil-order/workflow.ts": `import { reserve } from "./activities.ts";\nexport const workflow = reserve;`,
};

let tree = "";

beforeAll(async () => {
  tree = mkdtempSync(join(tmpdir(), "troupe-lint-"));
  for (const file of [".oxlintrc.json", "tsconfig.json", "package.json"]) cpSync(join(root, file), join(tree, file));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  for (const [path, source] of Object.entries(WRONG)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    await Bun.write(join(tree, path), source);
  }
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

test("the lint rules find a lost promise, an open switch, a cycle and imports that a folder may not have", () => {
  const oxlint = [process.execPath, "--bun", "node_modules/oxlint/bin/oxlint", "--format=unix", "runtime", "workflows"];
  const { exitCode, stdout } = Bun.spawnSync(oxlint, { cwd: tree, stdin: "ignore" });
  const found = [...stdout.toString().matchAll(/^(\S+?):(\d+):.*\((\S+)\)\]$/gmu)].map(([, ...parts]) =>
    parts.join(" "),
  );
  expect(exitCode).toBe(1);
  expect(found.toSorted()).toEqual([
    "runtime/mailbox.ts 1 no-cycle",
    "runtime/turn.ts 1 no-restricted-imports",
    "runtime/turn.ts 2 no-cycle",
    "runtime/turn.ts 4 no-floating-promises",
    "runtime/turn.ts 5 switch-exhaustiveness-check",
    "runtime/turn.ts 6 no-misused-promises",
    "runtime/turn.ts 7 no-explicit-any",
    "runtime/turn.ts 7 no-restricted-globals",
    "runtime/turn.ts 8 no-restricted-globals",
    "runtime/turn.ts 8 no-restricted-properties",
    "workflows/fulfil-order/workflow.ts 1 no-restricted-imports",
  ]);
});
