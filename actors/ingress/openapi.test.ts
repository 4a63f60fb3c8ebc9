import { expect, test } from "bun:test";
import { createIngress } from "./app.ts";
import { stubDeps } from "./testing/stub-deps.ts";

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

const app = createIngress(stubDeps());
const get = (path: string): Promise<Response> => app.handle(new Request(`http://localhost${path}`));

test("the document describes every route with its parameters, body and answers", async () => {
  const document = (await (await get("/openapi/json")).json()) as { paths: Record<string, Record<string, Operation>> };
  const { paths } = document;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { parameters = [], responses }] of Object.entries(operations)) {
      const names = parameters.map((parameter) => parameter.name);
      for (const [, name = ""] of path.matchAll(/\{(\w+)\}/g))
        expect([path, names.includes(name)]).toEqual([path, true]);
      const success = Object.entries(responses).find(([status]) => status.startsWith("2"));
      const described = success?.[1].content?.["application/json"]?.schema !== undefined;
      expect([method, path, described]).toEqual([method, path, true]);
      expect(responses["500"]?.content).toHaveProperty(["application/problem+json"]);
    }
  }
  for (const path of ["/orders", "/stock/{sku}/refill", "/workflows/{id}"]) {
    expect([path, paths[path]?.["post"]?.requestBody !== undefined]).toEqual([path, true]);
  }
  expect(JSON.stringify(document)).not.toContain('"$schema"');
  expect(document).toHaveProperty("components.schemas.Problem");
});

test("the pages load nothing from elsewhere", async () => {
  for (const path of ["/", "/console", "/openapi"]) {
    const response = await get(path);
    expect([path, response.status, response.headers.get("content-type")]).toEqual([
      path,
      200,
      "text/html; charset=utf-8",
    ]);
    expect(await response.text()).not.toMatch(/(src|href)="https?:/);
  }
});
