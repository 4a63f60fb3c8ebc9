/** Rules of the configuration that bind routes of our own. */
import { expect, test } from "bun:test";
import { Guard } from "#actors/access/guard/guard.ts";
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

test("a request that a rule asks a key of is counted once against its limits, though its route asks as well", async () => {
  const guard = new Guard({
    authenticate: async () => ({ keyId: "key_1", scopes: ["admin"] }),
    peer: () => "127.0.0.1",
    rateLimit: () => ({ perSecond: 1, burst: 10 }),
    monotonic: () => 0,
  });
  const own = { kind: "own", access: "orders", origins: [], pass: () => undefined } as const;
  const ingress = createIngress(stubDeps({ guard, forward: { find: () => own } }));
  const left = async (): Promise<number> => {
    const request = new Request("http://localhost/metrics", { headers: { authorization: "Bearer tk_1" } });
    return Number((await ingress.handle(request)).headers.get("ratelimit-remaining"));
  };
  expect([await left(), await left()]).toEqual([9, 8]);
});
