import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "../../e2e/app-process.ts";

/** What came of a run of the shop. */
export interface ShopVerdict {
  /** How many orders ended in which status. */
  readonly ends: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly invoices: number;
  readonly notices: number;
  /** Empty: everything held. */
  readonly violations: readonly string[];
}

/** A notice as a customer's page heard of it. `id` is that of the event it tells of. */
export interface Told {
  readonly id: string;
  readonly orderId: string;
  readonly type: string;
}

interface Order {
  readonly status: string;
  readonly history: readonly { readonly status: string }[];
}

const FINAL: ReadonlySet<string> = new Set(["delivered", "rejected", "cancelled", "returned"]);
/** What a customer is told of, by the status that brings it about. */
const TOLD: Readonly<Record<string, string>> = {
  placed: "order.placed.v1",
  paid: "order.paid.v1",
  delivered: "order.delivered.v1",
  rejected: "order.rejected.v1",
  cancelled: "order.cancelled.v1",
};
const AT_ONCE = 16;

/** Looks at every order and what hangs on it, after everything has had time to arrive. */
export async function verdictOf(
  app: AppProcess,
  orderIds: readonly string[],
  told: readonly Told[],
  { kills, settlesWithinMs }: { readonly kills: number; readonly settlesWithinMs: number },
): Promise<ShopVerdict> {
  const violations: string[] = [];
  const orders = await inBatches(orderIds, async (id) => (await app.get(`/orders/${id}`)).body as Order);
  const ends: Record<string, number> = {};
  for (const [i, { status }] of orders.entries()) {
    ends[status] = (ends[status] ?? 0) + 1;
    if (!FINAL.has(status)) violations.push(`order ${orderIds[i]} is ${status}`);
  }

  let broken: readonly unknown[] = ["never answered"];
  await eventually("the invariants hold", settlesWithinMs, async () => {
    const { status, body } = await app.get("/invariants?grace=0s");
    if (status !== 200) return undefined;
    broken = (body as { items: { holds: boolean }[] }).items.filter(({ holds }) => !holds);
    return broken.length === 0;
  }).catch(() => undefined);
  for (const one of broken) violations.push(`invariant: ${JSON.stringify(one)}`);

  const paid = (order: Order | undefined): boolean => order?.history.some(({ status }) => status === "paid") ?? false;
  const invoices = await inBatches(
    orderIds,
    async (id) => (await app.get(`/invoices/${id}`)).body as { number?: string },
  );
  const numbers = invoices.flatMap(({ number }) => number ?? []);
  if (new Set(numbers).size !== numbers.length) violations.push("two invoices have one number");
  for (const [i, { number }] of invoices.entries())
    if ((number !== undefined) !== paid(orders[i]))
      violations.push(
        `order ${orderIds[i]} is ${orders[i]?.status} and has ${number === undefined ? "no" : "an"} invoice`,
      );

  const expected = orderIds.flatMap((id, i) =>
    (orders[i]?.history ?? []).flatMap(({ status }) =>
      TOLD[status] === undefined ? [] : [`${TOLD[status]} of ${id}`],
    ),
  );
  const counts = new Map<string, number>();
  const missing = (): string[] => expected.filter((what) => !counts.has(what));
  await eventually("every customer was told", settlesWithinMs, async () => {
    counts.clear();
    for (const { type, orderId } of told)
      counts.set(`${type} of ${orderId}`, (counts.get(`${type} of ${orderId}`) ?? 0) + 1);
    return missing().length === 0;
  }).catch(() => undefined);
  for (const what of missing()) violations.push(`nobody was told of ${what}`);
  for (const [what, count] of counts) if (count > 1) violations.push(`${count} notices of ${what}`);
  return { ends, kills, invoices: numbers.length, notices: told.length, violations };
}

async function inBatches<T, R>(all: readonly T[], ask: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(ask))));
  return results;
}
