import * as v from "valibot";
import { ScalePolicy } from "../service/messages.ts";

/** What one node has seen of a service's requests. */
export const TrafficSample = v.strictObject({
  node: v.string(),
  inFlight: v.number(),
  /** When the last request came, in milliseconds since the epoch; 0: never. */
  lastAt: v.number(),
});

/** What was read of the things a service is scaled on: a number, or `null` where it could not be read. */
export const Readings = v.record(v.string(), v.nullable(v.number()));
export type Readings = v.InferOutput<typeof Readings>;

/** A look at a service whose number of replicas follows its work. */
export const Tick = v.strictObject({
  policy: ScalePolicy,
  /** How many replicas are wanted now. */
  current: v.number(),
  /** When the present number was asked for, in milliseconds since the epoch. */
  readings: Readings,
});
