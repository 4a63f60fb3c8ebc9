import { type OrderStatus } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import type { SimulationProgress } from "#actors/shop/simulation/messages.ts";
import { Simulation } from "#actors/shop/simulation/simulation.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { RefusedError, type Troupe } from "#runtime";
import { fateOf } from "./fate.ts";
import type { SimulationRun } from "./messages.ts";

/** What the activities reach the world through. */
export interface SimulationPorts {
  readonly troupe: Pick<Troupe, "ref">;
  /** Takes the part of an order that is in stock, in the customer's name. */
  readonly acceptPart: (orderId: string) => Promise<void>;
}

/** A simulated order that has come to its end. `reachedMs`: from placing to each status. */
export interface EndedOrder {
  readonly number: number;
  readonly status: OrderStatus;
  readonly reachedMs: Readonly<Record<string, number>>;
}

const SKUS = ["SIM-1", "SIM-2", "SIM-3", "SIM-4", "SIM-5"];
/** Of which there never is a piece. */
const SOLD_OUT = "SIM-SOLD-OUT";
const AT_ONCE = 16;
const CUSTOMERS = 50;
const ENDS: ReadonlySet<string> = new Set(["delivered", "rejected", "cancelled", "returned", "needs_attention"]);

/** The id of a simulated order: the same in each try. */
function orderIdOf(simulation: string, number: number): string {
  return `ord_${simulation.slice("sim_".length)}-${number}`;
}

/** The steps of `runSimulation`. Each may be repeated: a simulated order is known by its number. */
export function runSimulationActivities({ troupe, acceptPart }: SimulationPorts) {
  return {
    /** Puts enough pieces on the shelf for all orders. */
    async stockSimulation({ id, plan }: SimulationRun): Promise<void> {
      for (const sku of [...SKUS, SOLD_OUT]) {
        const stock = troupe.ref(Stock, sku);
        await stock.putProduct({ name: `Simulated ${sku}`, price: 1_290, currency: "EUR" });
        if (sku !== SOLD_OUT) await stock.refill({ quantity: plan.orders }, { id: `${id}/refill` });
      }
    },

    /** Places the orders with these numbers. */
    async placeSimulated({ id, plan }: SimulationRun, numbers: readonly number[]): Promise<void> {
      await inTurns(numbers, async (number) => {
        const fate = fateOf(number, plan);
        const order = troupe.ref(Order, orderIdOf(id, number));
        const lines = [{ sku: SKUS[number % SKUS.length] ?? "SIM-1", quantity: 1 }];
        if (fate === "partial") lines.push({ sku: SOLD_OUT, quantity: 1 });
        await passing("already_placed", () =>
          order.place({
            customerId: `sim-customer-${number % CUSTOMERS}`,
            lines,
            paymentToken: fate === "declined" ? "tok_declined" : "tok_ok",
            address: { street: fate === "lost" ? "1 Lost Lane" : `${number} Long Road`, country: "DE" },
          }),
        );
        if (fate === "cancelled") await passing(["already_shipped", "already_final"], () => order.cancel());
      });
    },

    /** Looks at orders, answers the questions of those that ask, and tells which have come to an end. */
    async watchSimulated({ id, plan }: SimulationRun, numbers: readonly number[]): Promise<EndedOrder[]> {
      const ended: EndedOrder[] = [];
      await inTurns(numbers, async (number) => {
        const orderId = orderIdOf(id, number);
        const order = await troupe.ref(Order, orderId).get();
        if (order === null) return;
        if (fateOf(number, plan) === "partial" && order.decision?.choice === null && order.status === "placed") {
          await acceptPart(orderId).catch(() => undefined); // it asks again, or its time is over
          return;
        }
        if (!ENDS.has(order.status)) return;
        const placedAt = Date.parse(order.history[0]?.at ?? "");
        const reachedMs = Object.fromEntries(
          order.history.slice(1).map(({ status, at }) => [status, Date.parse(at) - placedAt]),
        );
        ended.push({ number, status: order.status, reachedMs });
      });
      return ended;
    },

    reportSimulation: (id: string, progress: SimulationProgress): Promise<void> =>
      troupe.ref(Simulation, id).report(progress),
  };
}
export type RunSimulationActivities = ReturnType<typeof runSimulationActivities>;

/** Runs `task` for each item, some at once. */
async function inTurns<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  const worker = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await task(item);
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, worker));
}

/** Makes nothing of a refusal that says: it is done. */
async function passing(reasons: string | readonly string[], call: () => Promise<unknown>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!(error instanceof RefusedError) || !reasons.includes(error.reason)) throw error;
  }
}
