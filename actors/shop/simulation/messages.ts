import * as v from "valibot";

export const SimulationId = v.pipe(v.string(), v.regex(/^sim_[A-Za-z0-9-]{1,40}$/, "must look like sim_…"));

const Share = v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), 0);

/** What to simulate. Shares are of all orders, and no order has two fates. */
export const RunSimulation = v.pipe(
  v.strictObject({
    orders: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000)),
    ratePerSecond: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500)),
    /** Cards that are declined. */
    declineShare: Share,
    /** Customers who cancel right after placing. */
    cancelShare: Share,
    /** Orders of which only a part is in stock; the customer takes the part. */
    partialShare: Share,
    /** Parcels that are lost. */
    lostShare: Share,
  }),
  v.forward(
    v.partialCheck(
      [["declineShare"], ["cancelShare"], ["partialShare"], ["lostShare"]],
      ({ declineShare, cancelShare, partialShare, lostShare }) =>
        declineShare + cancelShare + partialShare + lostShare <= 1,
      "the shares must be at most 1 together",
    ),
    ["declineShare"],
  ),
);
export type RunSimulation = v.InferOutput<typeof RunSimulation>;

/** Orders by where they stand. `underWay`: placed, and not at an end. */
export const SimulationCounts = v.object({
  placed: v.number(),
  underWay: v.number(),
  delivered: v.number(),
  rejected: v.number(),
  cancelled: v.number(),
  returned: v.number(),
  needsAttention: v.number(),
});
export type SimulationCounts = v.InferOutput<typeof SimulationCounts>;

/** From placing to a status, in milliseconds, within 10 %. */
export const Latency = v.object({ p50Ms: v.number(), p99Ms: v.number() });

/** How a simulation stands, told by its workflow as a whole each time. */
export const SimulationProgress = v.object({
  status: v.picklist(["running", "completed", "stopped"]),
  counts: SimulationCounts,
  /** By status, as in `{paid: {p50Ms, p99Ms}}`. */
  latency: v.record(v.string(), Latency),
});
export type SimulationProgress = v.InferOutput<typeof SimulationProgress>;

/** What `GET /simulations/:id` shows. Times are RFC 3339. */
export const SimulationView = v.object({
  id: v.string(),
  ...SimulationProgress.entries,
  orders: v.number(),
  ratePerSecond: v.number(),
  startedAt: v.string(),
  endedAt: v.nullable(v.string()),
  workflowId: v.string(),
});
export type SimulationView = v.InferOutput<typeof SimulationView>;
