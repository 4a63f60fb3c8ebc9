import * as v from "valibot";
import { RunSimulation, SimulationId, SimulationView } from "#actors/shop/simulation/messages.ts";
import { Simulation } from "#actors/shop/simulation/simulation.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { newId } from "#runtime";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

const about = { tag: "Simulations", noun: "simulation", refusals: SHOP_REFUSALS.simulation, scope: "orders" } as const;
const ById = v.object({ id: SimulationId });

/** Simulated orders: a load with fates, watched to their ends. */
export function simulationRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("simulations", [
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/simulations",
        summary: "Simulate orders",
        description:
          "Places `orders` at `ratePerSecond`, a share of them with declined cards, cancelled, with only a part in stock, or with lost parcels, and watches each to its end. The topic `simulations/<id>` brings the progress.",
        body: RunSimulation,
        answer: { status: 202, description: "Started", schema: SimulationView },
        problems: [409],
      },
      async ({ body, key, call }) => {
        const id = key === undefined ? newId("sim") : derivedId("sim", "POST /simulations", key);
        const started = await troupe().ref(Simulation, id).start(body, call);
        return new Reply(202, started, { location: `/simulations/${id}` });
      },
    ),

    endpoint(
      {
        ...about,
        method: "GET",
        path: "/simulations/:id",
        summary: "Show a simulation",
        description: "Counts by where orders stand, and how long they took from placing to each status (within 10 %).",
        params: ById,
        answer: { status: 200, description: "The simulation", schema: SimulationView },
      },
      async ({ params: { id }, look }) => {
        const simulation = await troupe().ref(Simulation, id).get(undefined, look);
        if (simulation === null) throw notFound("simulation");
        return simulation;
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/simulations/:id/stop",
        summary: "Stop a simulation",
        description:
          "No more orders are placed; those under way go on by themselves. Stopping one that has ended changes nothing.",
        params: ById,
        answer: { status: 202, description: "It stops within a moment", schema: SimulationView },
      },
      ({ params: { id }, call }) => troupe().ref(Simulation, id).stop(undefined, call),
    ),
  ]);
}
