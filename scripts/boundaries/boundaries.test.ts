import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { check } from "./check.ts";
import { readGraph } from "./graph.ts";
import { importsOf } from "./imports.ts";
import { pattern } from "./pattern.ts";

const fixture = join(import.meta.dir, "fixture");
const main = join(import.meta.dir, "main.ts");

/** Every wrong import of the fixture. Its other files are right and must stay unmentioned. */
const EXPECTED = [
  "actors/gateway/http/routes.ts:3 neighbour",
  "actors/gateway/route/route.ts:3 neighbour",
  "actors/shop/order/order.ts:2 neighbour",
  "actors/shop/stock/level.ts:1 cycle",
  "actors/shop/stock/messages.ts:3 messages-leaf",
  "infra/postgres/pool.ts:2 workflow-bundle",
  "infra/postgres/store.ts:2 arrow",
  "infra/postgres/store.ts:3 door",
  "infra/postgres/store.ts:4 by-name",
  "infra/postgres/store.ts:5 unresolved",
  "infra/postgres/store.ts:8 door",
  "runtime/actor/actor.ts:1 room",
  "runtime/calls/calls.ts:1 room",
  "runtime/clock.ts:2 by-name",
  "runtime/commit/commit.ts:1 room",
  "runtime/commit/commit.ts:2 room",
  "runtime/commit/commit.ts:3 room",
  "runtime/host/host.ts:1 room",
  "runtime/journal/journal.ts:1 room",
  "runtime/ports/ports.ts:1 room-above",
  "runtime/projections/projections.ts:1 room",
  "runtime/projections/projections.ts:2 room",
  "runtime/relay/relay.ts:1 room",
  "runtime/relay/relay.ts:2 room",
  "runtime/timers/timers.ts:1 room",
  "runtime/timers/timers.ts:2 room",
  "runtime/turn.ts:2 arrow",
  "runtime/turn.ts:3 package",
  "runtime/turn.ts:4 package",
  "runtime/turn.ts:5 package",
  "runtime/turn/turn.ts:1 room",
  "runtime/turn/turn.ts:2 room",
  "scripts/dev.ts:6 door",
  "workflows/fulfil-order/names.ts:2 workflow-bundle",
  "workflows/fulfil-order/workflow.ts:2 workflow-pure",
  "workflows/fulfil-order/workflow.ts:4 type-only",
  "workflows/fulfil-order/workflow.ts:8 workflow-pure",
];

describe("the boundary check", () => {
  test("finds exactly the wrong imports of the fixture, each with its file, line and rule", () => {
    const violations = check(readGraph(fixture, []));
    expect(violations.map(({ file, line, rule }) => `${file}:${line} ${rule}`)).toEqual(EXPECTED);
  });

  test("says for every wrong import what to do about it", () => {
    for (const { fix, message } of check(readGraph(fixture, []))) {
      expect(message).not.toBe("");
      expect(fix).toMatch(/^[A-Z].{15,}[^.]$/u);
    }
  });

  test("counts the modules and imports it has seen", () => {
    const { modules, edges } = readGraph(fixture, []);
    expect(modules).toHaveLength(40);
    expect(edges.length).toBeGreaterThan(modules.length);
  });

  test("fails on the fixture and prints every violation", () => {
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, main, fixture]);
    expect(exitCode).toBe(1);
    expect(stdout.toString()).toContain(`${EXPECTED.length} violations`);
  });

  test("judges only the files it is given, of the whole graph", () => {
    const run = (file: string) => Bun.spawnSync([process.execPath, main, file], { cwd: fixture });
    expect(run("actors/ingress/app.ts").exitCode).toBe(0);
    const { exitCode, stdout } = run("actors/shop/order/order.ts");
    expect(exitCode).toBe(1);
    expect(stdout.toString()).toContain(" 1 violations");
  });

  test("fails on a project without modules", () => {
    const { exitCode, stdout } = Bun.spawnSync([process.execPath, main, join(fixture, "empty")]);
    expect(exitCode).toBe(1);
    expect(stdout.toString()).toContain("as no imports were found");
  });
});

describe("importsOf()", () => {
  test("finds every way to import, with its line", () => {
    const source = [
      `import a, { type A } from "./a.ts";`,
      `import type { B } from "./b.ts";`,
      `import { type C, type D } from "./c.ts";`,
      `import "./d.ts";`,
      `export * from "./e.ts";`,
      `export type { F } from "./f.ts";`,
      `const g = await import("./g.ts");`,
      `type H = import("./h.ts").H;`,
      `import i = require("./i.ts");`,
      `const j = require("./j.ts");`,
    ].join("\n");
    expect(importsOf("x.ts", source).map((site) => `${site.line} ${site.specifier} ${site.typeOnly}`)).toEqual([
      "1 ./a.ts false",
      "2 ./b.ts true",
      "3 ./c.ts true",
      "4 ./d.ts false",
      "5 ./e.ts false",
      "6 ./f.ts true",
      "7 ./g.ts false",
      "8 ./h.ts true",
      "9 ./i.ts false",
      "10 ./j.ts false",
    ]);
  });

  test("throws on a file it cannot parse, so that a broken file is never one without imports", () => {
    expect(() => importsOf("x.ts", "import { from")).toThrow("Cannot parse x.ts");
  });
});

describe("pattern()", () => {
  test.each([
    ["actors/<noun>/<noun>.ts", "actors/order/order.ts", true],
    ["actors/<noun>/<noun>.ts", "actors/order/pricing.ts", false],
    ["workflows/*.ts", "workflows/fulfil-order/workflow.ts", false],
    ["workflows/{client,worker}.ts", "workflows/worker.ts", true],
    ["**.test.ts", "runtime/ports/store.test.ts", true],
    ["runtime/mod.ts", "runtime/modXts", false],
  ])("%s on %s is %p", (text, path, expected) => {
    expect(pattern(text)(path)).toBe(expected);
  });

  test("binds a word across the patterns of a row", () => {
    const within = pattern("actors/<own>/**", "actors/<own>/**");
    expect(within("actors/order/order.ts", "actors/order/pricing.ts")).toBe(true);
    expect(within("actors/order/order.ts", "actors/stock/stock.ts")).toBe(false);
  });
});
