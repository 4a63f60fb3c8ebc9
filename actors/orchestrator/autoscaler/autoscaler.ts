import * as v from "valibot";
import { actor } from "#runtime";
import { Decision, ServiceName } from "../service/messages.ts";
import { Service } from "../service/service.ts";
import { decide, recent } from "./decide.ts";
import { Tick, TrafficSample } from "./messages.ts";

/** What a look at a service found, whether it changed anything or not. */
const Look = v.strictObject({
  at: v.string(),
  wants: v.number(),
  reason: v.string(),
  metrics: Decision.entries.metrics,
});

const Recommended = v.object({ at: v.number(), replicas: v.number() });
const State = v.object({
  samples: v.record(v.string(), v.object({ inFlight: v.number(), lastAt: v.number(), at: v.number() })),
  past: v.array(Recommended),
  /** When it first looked at the service, in milliseconds since the epoch. */
  since: v.number(),
  /** What was found the last time. */
  last: v.optional(v.nullable(Look), null),
});

/** What a node said so long ago counts no longer: it may be gone. */
const SAMPLE_FOR_MS = 5_000;

/**
 * `autoscaler/<service>`: decides how many replicas a service has, from what the nodes say of its requests and from what
 * was read elsewhere. One actor, so one decision, however many nodes look.
 */
export const Autoscaler = actor("autoscaler", {
  key: ServiceName,
  state: State,
  initial: () => ({ samples: {}, past: [], since: 0, last: null }),
  messages: ({ command, query }) => ({
    /** What one node has of the service's requests. */
    sample: command({ in: TrafficSample }, (c, { node, inFlight, lastAt }) => {
      c.state.samples[node] = { inFlight, lastAt, at: c.now };
    }),

    /** Looks, and tells the service where its number should be another. */
    tick: command({ in: Tick }, (c, { policy, current, readings }) => {
      const s = c.state;
      if (s.since === 0) s.since = c.now;
      const samples = Object.entries(s.samples).filter(([, sample]) => c.now - sample.at < SAMPLE_FOR_MS);
      const lastRequestAt = Math.max(s.since, ...Object.values(s.samples).map(({ lastAt }) => lastAt));
      const inFlight = samples.reduce((sum, [, sample]) => sum + sample.inFlight, 0);
      const all = policy.on.inFlight === undefined ? readings : { ...readings, inFlight };
      const verdict = decide({ policy, current, readings: all, lastRequestAt, past: s.past, nowMs: c.now });
      s.past = recent([...s.past, verdict.recommendation], policy, c.now);
      const { to, reason, metrics } = verdict;
      s.last = { at: new Date(c.now).toISOString(), wants: verdict.recommendation.replicas, reason, metrics };
      if (to === current) return;
      const decision = { at: new Date(c.now).toISOString(), from: current, to, reason, metrics };
      c.send(Service, c.key, "scaleTo", { replicas: to, decision });
    }),

    /** What the last look found; `null`: nobody has looked. */
    last: query({ out: v.nullable(Look) }, ({ state }) => state.last),

    /** The service is scaled no longer. */
    forget: command({}, (c) => c.destroy()),
  }),
});
