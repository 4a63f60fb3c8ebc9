/**
 * Simulation: one run of simulated orders, keyed by its id. The workflow `runSimulation` places and watches the orders;
 * this is where its progress is read and followed (topic `simulations/<id>`), and where it is stopped.
 */
import * as v from "valibot";
import { actor } from "#runtime";
import { RUN_SIMULATION, runSimulationStart } from "#workflows/run-simulation/messages.ts";
import { RunSimulation, SimulationId, SimulationProgress, SimulationView } from "./messages.ts";

const State = v.object({ simulation: v.nullable(SimulationView) });

const NOTHING = { placed: 0, underWay: 0, delivered: 0, rejected: 0, cancelled: 0, returned: 0, needsAttention: 0 };

/** One simulation. */
export const Simulation = actor("simulation", {
  key: SimulationId,
  state: State,
  initial: (): v.InferOutput<typeof State> => ({ simulation: null }),
  messages: ({ command, query }) => ({
    /** Starts it. Refused with `already_started`. */
    start: command({ in: RunSimulation, out: SimulationView }, (c, plan) => {
      c.require(c.state.simulation === null, "already_started");
      const start = runSimulationStart({ id: c.key, plan });
      c.workflow.start(start);
      c.state.simulation = {
        id: c.key,
        status: "running",
        counts: NOTHING,
        latency: {},
        orders: plan.orders,
        ratePerSecond: plan.ratePerSecond,
        startedAt: new Date(c.now).toISOString(),
        endedAt: null,
        workflowId: start.id,
      };
      return c.state.simulation;
    }),

    /** What the workflow tells of its progress. After the end nothing changes any more. */
    report: command({ in: SimulationProgress }, (c, progress) => {
      const { simulation } = c.state;
      if (simulation === null || simulation.status !== "running") return;
      Object.assign(simulation, progress);
      if (progress.status !== "running") simulation.endedAt = new Date(c.now).toISOString();
      c.broadcast(`simulations/${c.key}`, "simulation.changed", simulation);
    }),

    /** Has no more orders placed; those under way go on by themselves. Refused with `unknown_simulation`. */
    stop: command({ out: SimulationView }, (c) => {
      const { simulation } = c.state;
      if (simulation === null) return c.refuse("unknown_simulation");
      if (simulation.status === "running") c.workflow.signal({ id: simulation.workflowId, name: RUN_SIMULATION.stop });
      return simulation;
    }),

    get: query({ out: v.nullable(SimulationView) }, (c) => c.state.simulation),
  }),
});
