import { expect, test } from "bun:test";
import { gatewayRoutes } from "../gateway/http/gateway.ts";
import { orchestratorRoutes } from "../orchestrator/http/orchestrator.ts";
import { createIngress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

const deps = stubDeps();
const absent = (): never => deps.troupe() as never;
const ingress = createIngress(deps, [
  orchestratorRoutes({ troupe: absent }),
  ...gatewayRoutes({
    ...deps,
    directory: absent,
    validator: {} as never,
    nouns: () => new Set(),
    secrets: { open: async (text) => text },
  }),
]);

/** What each path answers to, as it was mounted. */
const mounted = new Map<string, Set<string>>();
for (const { method, path } of ingress.routes) {
  if (path.endsWith("*")) continue; // all methods, by whoever is behind it
  const methods = mounted.get(path) ?? new Set(["OPTIONS"]);
  for (const one of method === "GET" ? ["GET", "HEAD"] : [method]) methods.add(one);
  mounted.set(path, methods);
}

/** The methods of a path: its own where it has no parameters, else those of every pattern that takes it. */
function methodsAt(path: string): Set<string> {
  const own = mounted.get(path);
  if (own !== undefined && !path.includes(":")) return own;
  const parts = path.split("/");
  const alike = [...mounted].filter(([other]) => {
    const others = other.split("/");
    return others.length === parts.length && others.every((part, i) => part.startsWith(":") || part === parts[i]);
  });
  return new Set(alike.flatMap(([, methods]) => [...methods]));
}

test("every path takes the methods it was mounted with, and answers 405 with exactly these to any other (S31)", async () => {
  expect(mounted.size).toBeGreaterThan(50);
  for (const path of mounted.keys())
    for (const method of METHODS) {
      const at = path.replaceAll(/:[a-zA-Z]+/g, "x1");
      const answer = await ingress.handle(new Request(`http://localhost${at}`, { method }));
      const known = methodsAt(path);
      expect([method, path, answer.status === 405]).toEqual([method, path, !known.has(method)]);
      if (answer.status !== 405) continue;
      expect(new Set(answer.headers.get("allow")?.split(", "))).toEqual(known);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      if (method === "HEAD") continue; // says nothing but its headers
      expect(await answer.json()).toMatchObject({
        status: 405,
        code: "method_not_allowed",
        traceId: expect.any(String),
      });
    }
});

test("a path that leads nowhere is a 404 for every method, as a problem (S31)", async () => {
  for (const path of [
    "/nothing",
    "/orders/a/b/c",
    "/orderss",
    "/Orders",
    "/keys/x/rotate/y",
    "/.env",
    "/console/x",
    "/openapi/json/x",
  ])
    for (const method of METHODS) {
      const answer = await ingress.handle(new Request(`http://localhost${path}`, { method }));
      expect([method, path, answer.status]).toEqual([method, path, 404]);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      if (method === "HEAD") continue; // says nothing but its headers
    }
});

test("a list where a map is meant is 422 on every route with a body, and nothing behind it is asked", async () => {
  let asked = 0;
  for (const { method, path, hooks } of ingress.routes) {
    const { requestBody } = (hooks?.["detail"] ?? {}) as {
      requestBody?: { content: Record<string, { schema?: { type?: string } }> };
    };
    const schema = requestBody?.content["application/json"]?.schema;
    // Where anything is taken, the actor's own schema decides.
    if (schema?.type !== "object") continue;
    const at = path.replaceAll(/:[a-zA-Z]+/g, "x1");
    const headers = { "content-type": "application/json" };
    const answer = await ingress.handle(new Request(`http://localhost${at}`, { method, headers, body: "[]" }));
    // A path of names that can be none is not there, whatever comes with it.
    if (answer.status === 404) continue;
    expect([method, path, answer.status]).toEqual([method, path, 422]);
    asked++;
  }
  expect(asked).toBeGreaterThan(8);
});

/** What people look at, and probes: their links may carry what others put behind the question mark. */
const PAGES = /^\/(?:$|simulator|shop\/|console|docs|openapi|assets\/|health|ready|metrics)/;
/** What fits the parameters of most paths. */
const IDS: Readonly<Record<string, string>> = {
  orders: "ord_1",
  payments: "ord_1",
  deliveries: "ord_1",
  invoices: "ord_1",
};

test("every path but those of pages and probes refuses a name in its query that it does not know, before anything is done", async () => {
  let refused = 0;
  for (const [path, methods] of mounted) {
    if (PAGES.test(path)) continue;
    const at = path.replaceAll(/:[a-zA-Z]+/g, IDS[path.split("/")[1] ?? ""] ?? "x1");
    for (const method of methods) {
      if (method === "OPTIONS" || method === "HEAD") continue;
      const answer = await ingress.handle(new Request(`http://localhost${at}?no-such-name=1`, { method }));
      if (answer.status === 404) continue; // the place is looked at first
      expect([method, path, answer.status]).toEqual([method, path, 422]);
      if (JSON.stringify(await answer.json()).includes("no-such-name")) refused++;
    }
  }
  expect(refused).toBeGreaterThan(70);
});

/** Lists that are short by their nature, and the last lines of a log: there is nothing to page through. */
const WHOLE: ReadonlySet<string> = new Set(["/search", "/brokers", "/services/{name}/logs"]);

test("every list that says what comes next takes limit and cursor", async () => {
  const document = (await (await ingress.handle(new Request("http://localhost/openapi/json"))).json()) as Document;
  const lists = Object.entries(document.paths).flatMap(([path, { get }]) => {
    const schema = get?.responses?.["200"]?.content?.["application/json"]?.schema;
    return schema?.properties?.["next"] === undefined || WHOLE.has(path)
      ? []
      : [{ path, known: (get?.parameters ?? []).map(({ name }) => name) }];
  });
  expect(lists.length).toBeGreaterThan(15);
  for (const { path, known } of lists)
    expect([path, known]).toEqual([path, expect.arrayContaining(["limit", "cursor"])]);
});

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get?: {
          readonly parameters?: readonly { readonly name: string }[];
          readonly responses?: Readonly<
            Record<
              string,
              {
                readonly content?: Readonly<
                  Record<string, { readonly schema?: { readonly properties?: Readonly<Record<string, unknown>> } }>
                >;
              }
            >
          >;
        };
      }
    >
  >;
}
