import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { grafanaJson } from "#infra/observability/dashboard.ts";
import { DASHBOARDS } from "#infra/observability/dashboards.ts";
import { faultsOf, metricNames } from "#infra/observability/exposition.ts";
import { run } from "#infra/stack/command.ts";
import { openTelemetry } from "../app/telemetry.ts";
import { FOLDER } from "./dashboards.ts";
import { tool } from "./tools.ts";

const OBSERVABILITY = join(import.meta.dir, "../../infra/observability");
const DOCS = join(import.meta.dir, "../../infra/docs");
const read = (path: string): string => readFileSync(path, "utf8");
const promtool = tool("promtool");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const { groups } = parse(read(join(OBSERVABILITY, "alerts.yaml"))) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
/** Prometheus makes these itself. */
const ITS_OWN: ReadonlySet<string> = new Set(["up"]);
let text = "";

beforeAll(async () => {
  const { prometheus, http } = openTelemetry(
    {
      troupe: () => undefined,
      sockets: () => 1,
      invariants: () => [],
      blocked: () => new Map([["nats", () => undefined]]),
      readiness: async () => ({
        status: "ready",
        components: [{ name: "postgres", status: "up", address: "", how: "" }],
      }),
      openOrders: async () => [{ status: "needs_attention", orders: 1 }],
    },
    { dataFolder: "/nonexistent", revision: "abc", pools: () => new Map([["order", { queries: 1, max: 5 }]]) },
  );
  http.answered("/orders/:id", "GET", 200, 0.01, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  ({ text } = await prometheus.scrape());
});
afterAll(() => void (text = ""));

/** The metrics that an expression names. */
const namedIn = (expr: string): string[] => expr.match(/\b(?:troupe|process|nodejs)_[a-z0-9_]+\b|\bup\b/g) ?? [];
const unknown = (exprs: readonly string[]): string[] => {
  const exported = metricNames(text);
  return exprs.flatMap(namedIn).filter((name) => !exported.has(name) && !ITS_OWN.has(name));
};

test("what the app exports is well formed, in names and values", () => {
  expect(faultsOf(text)).toEqual([]);
  expect(text).toContain('troupe_build_info{version="0.1.0",revision="abc",bun="');
  expect(text).toMatch(/^troupe_http_request_seconds_bucket\{le="0.01",route="\/orders\/:id",method="GET"\} 1$/m);
  expect(text).toMatch(/^troupe_disk_free_bytes [1-9]/m);
  expect(text).toContain('troupe_orders_open{status="needs_attention"} 1');
});

test("every metric that an alert or a dashboard names is exported", () => {
  expect(namedIn(rules[0]?.expr ?? "")).not.toBeEmpty();
  expect(unknown(rules.map(({ expr }) => expr))).toEqual([]);
  const shown = DASHBOARDS.flatMap(({ rows }) =>
    rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries)),
  );
  expect(unknown(shown.map(({ expr }) => expr))).toEqual([]);
  expect(unknown(["rate(troupe_gone_total[5m])"])).toEqual(["troupe_gone_total"]);
});

test("the dashboards of Grafana are those of dashboards.ts, and each row says what to look for", () => {
  for (const dashboard of DASHBOARDS) {
    expect(JSON.parse(read(join(FOLDER, `${dashboard.uid}.json`)))).toEqual(JSON.parse(grafanaJson(dashboard)));
    for (const { lookFor } of dashboard.rows) expect(lookFor).toContain("**Look for**");
  }
});

test("every alert has a case that makes it fire, and a runbook from the console's page to how it is over", () => {
  const { tests } = parse(read(join(OBSERVABILITY, "alerts.test.yaml"))) as { tests: { name: string }[] };
  expect(tests.map(({ name }) => name)).toEqual(rules.map(({ alert }) => `${alert} fires`));
  for (const { alert, annotations } of rules) {
    const { runbook_url = "", summary = "", console: link = "" } = annotations;
    const page = read(join(DOCS, runbook_url.replace(/^.*\/docs\//, "") + ".md"));
    const [, , first = ""] = page.split("\n");
    expect([alert, first.startsWith("Console: [`/console")]).toEqual([alert, true]);
    expect(page).toContain(`Alert: \`${alert}\``);
    expect(page.slice(page.lastIndexOf("\n## "))).toStartWith("\n## How you know it is over");
    expect(summary).not.toBeEmpty();
    expect(link).toStartWith("{{ $externalLabels.console }}/console");
  }
});

test.skipIf(promtool === undefined)(
  "promtool finds nothing wrong, and sees every alert fire",
  async () => {
    const check = Bun.spawn([promtool ?? "", "check", "metrics"], {
      stdin: new Blob([text]),
      stdout: "pipe",
      stderr: "pipe",
    });
    const said = (await new Response(check.stdout).text()) + (await new Response(check.stderr).text());
    expect([await check.exited, said]).toEqual([0, ""]);
    await run(promtool ?? "", ["check", "rules", "alerts.yaml"], { cwd: OBSERVABILITY });
    await run(promtool ?? "", ["check", "config", "--syntax-only", "prometheus.yaml"], { cwd: OBSERVABILITY });
    const fired = await run(promtool ?? "", ["test", "rules", "alerts.test.yaml"], { cwd: OBSERVABILITY });
    expect(fired).toContain("SUCCESS");
  },
  60_000,
);
