import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gatewayRoutes } from "#actors/gateway/http/gateway.ts";
import { createIngress } from "#actors/ingress/app.ts";
import { stubDeps } from "#actors/ingress/testing/stub-deps.ts";
import { orchestratorRoutes } from "#actors/orchestrator/http/orchestrator.ts";
import { TraceStore } from "#infra/otel/trace-store.ts";
import { compileSchema } from "#infra/schemas/compile.ts";
import { readSchema } from "#infra/schemas/document.ts";
import { markdownPages } from "./pages.ts";
import { shownRequests } from "./requests.ts";

const ROOT = resolve(import.meta.dir, "../..");

interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** Paths that are no operations of the document: pages, metrics and services. */
const OTHERS = /^\/(?:console.*|openapi|metrics|s\/.*)?$/u;

async function paths(): Promise<Paths> {
  const deps = stubDeps({ traces: new TraceStore() });
  const absent = (): never => deps.troupe() as never;
  const gateway = { ...deps, directory: absent, validator: {} as never, nouns: () => new Set<string>() };
  const app = createIngress(deps, [
    orchestratorRoutes({ troupe: absent }),
    ...gatewayRoutes({ ...gateway, secrets: { open: async (text) => text } }),
  ]);
  const response = await app.handle(new Request("http://localhost/openapi/json"));
  return ((await response.json()) as { readonly paths: Paths }).paths;
}

/** The path of the document that takes a path: the one with the fewest parameters. */
function patternOf(all: Paths, path: string): string | undefined {
  const parts = path.split("/");
  const fits = Object.keys(all).filter((pattern) => {
    const others = pattern.split("/");
    return others.length === parts.length && others.every((part, i) => part.startsWith("{") || part === parts[i]);
  });
  return fits.toSorted((a, b) => a.split("{").length - b.split("{").length)[0];
}

const shown = markdownPages(ROOT).flatMap((page) =>
  shownRequests(readFileSync(join(ROOT, page), "utf8")).map((request) => ({ ...request, page })),
);

test("every request that a page shows has a route that answers its method", async () => {
  const all = await paths();
  expect(shown.length).toBeGreaterThan(25);
  const lost = shown.filter(({ method, path }) => {
    const pattern = patternOf(all, path);
    return !OTHERS.test(path) && all[pattern ?? ""]?.[method.toLowerCase()] === undefined;
  });
  expect(lost).toEqual([]);
});

test("every body that a page writes out fits the schema of its route", async () => {
  const all = await paths();
  const bodies = shown.filter(({ body }) => body !== undefined);
  expect(bodies.length).toBeGreaterThan(8);
  const misfits = bodies.flatMap(({ page, line, method, path, contentType, body }) => {
    const operation = all[patternOf(all, path) ?? ""]?.[method.toLowerCase()];
    const schema = operation?.requestBody?.content[contentType]?.schema;
    if (schema === undefined) return [];
    const document = readSchema(schema, JSON.stringify(schema).length);
    const check = "subschemas" in document ? compileSchema(document) : document;
    if (typeof check !== "function") return []; // patterns with look-around: our own schemas may have them
    const found = check(body, 100_000);
    return found.length === 0 ? [] : [{ page, line, problem: found }];
  });
  expect(misfits).toEqual([]);
});

test("shownRequests() reads methods, paths and bodies, over several lines", () => {
  const page = [
    "```sh",
    "curl localhost:3000/orders/ord_1?x=1   # that's a comment",
    'curl -X PUT $api/routes/a -H "$json" -d \'{',
    '  "n": 1}\'',
    "curl localhost:3001/keys -d '{\"a\": '$b'}' && curl -X DELETE \\",
    "  'localhost:3000/keys/k'",
    "curl https://elsewhere.example/x",
    "```",
    "curl localhost:3000/no-block",
  ].join("\n");
  expect(shownRequests(page)).toEqual([
    { line: 2, method: "GET", path: "/orders/ord_1", contentType: "application/json", body: undefined },
    { line: 3, method: "PUT", path: "/routes/a", contentType: "application/json", body: { n: 1 } },
    { line: 5, method: "POST", path: "/keys", contentType: "application/json", body: undefined },
    { line: 5, method: "DELETE", path: "/keys/k", contentType: "application/json", body: undefined },
  ]);
});
