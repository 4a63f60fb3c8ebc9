/** Rules of the configuration that bind routes of our own. */
import { expect, test } from "bun:test";
import { Problem } from "#infra/http/problem.ts";
import { createIngress } from "./app.ts";
import type { ForOwnRoute } from "./deps.ts";
import { stubDeps } from "./testing/stub-deps.ts";

function ingressWith(rule: Partial<ForOwnRoute>) {
  const own = { kind: "own", access: null, origins: [], pass: () => undefined, ...rule } as const;
  return createIngress(
    stubDeps({ forward: { find: (_request, path, _query, isOwn) => (isOwn(path) ? own : undefined) } }),
  );
}
const ask = (ingress: ReturnType<typeof ingressWith>, headers: Record<string, string> = {}) =>
  ingress.handle(new Request("http://localhost/health", { headers }));

test("a rule for a route of our own lets it answer as before, and counts it", async () => {
  let passed = 0;
  const ingress = ingressWith({ pass: () => void passed++ });
  expect((await ask(ingress)).status).toBe(200);
  expect(passed).toBe(1);
});

test("a request beyond its rate is refused before the route is asked", async () => {
  const ingress = ingressWith({
    pass: () => {
      throw new Problem(429, "gateway.rate_limited", "At most 1 requests a second are taken here");
    },
  });
  const response = await ask(ingress);
  expect(response.status).toBe(429);
  expect(await response.json()).toMatchObject({ code: "gateway.rate_limited" });
});

test("pages of its origins may read the answer, others may not", async () => {
  const ingress = ingressWith({ origins: ["https://shop.example"] });
  const allowed = async (origin: string): Promise<string | null> =>
    (await ask(ingress, { origin })).headers.get("access-control-allow-origin");
  expect(await allowed("https://shop.example")).toBe("https://shop.example");
  expect(await allowed("https://other.example")).toBeNull();
});
