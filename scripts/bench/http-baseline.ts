/**
 * What a service is without an actor runtime: one Elysia handler, one statement per request for state and event, a pool
 * of 32. A process of its own, started by the benchmark `http`: `bun http-baseline.ts DATABASE_URL`; prints its port.
 * `/empty` does nothing at all: what the load generator reaches at most.
 */
import { Elysia, t } from "elysia";
import postgres from "postgres";
import { createTables, writeOnce } from "./one-statement.ts";

const sql = postgres(process.argv[2] ?? "", { max: 32, onnotice: () => undefined });
await createTables(sql);
const app = new Elysia().post(
  "/stock/:sku/refill",
  async ({ params: { sku }, body: { quantity } }) => {
    const state = { product: { name: sku, price: 250, currency: "EUR" }, onHand: quantity, holds: {} };
    const data = { sku, quantity, onHand: quantity };
    await writeOnce(sql, { type: "stock", key: sku, state, event: "stock.refilled.v1", data });
    return { sku, onHand: quantity, reserved: 0, available: quantity };
  },
  { body: t.Object({ quantity: t.Integer({ minimum: 1 }) }) },
);
const answer = (): Response => new Response("{}", { headers: { "content-type": "application/json" } });
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: { "/empty": answer },
  fetch: (request) => app.fetch(request),
});
console.log(server.port);
