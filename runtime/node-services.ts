import type { ActorRef } from "./actor-ref.ts";
import type { AnyActorType } from "./any-actor.ts";
import type { Clock } from "./clock.ts";
import type { ContractCheck } from "./contract-check.ts";
import type { Envelope } from "./envelope.ts";
import type { Log } from "./log.ts";
import type { NodeMetrics } from "./node-metrics.ts";
import type { NodeId } from "./ports/store.ts";
import type { Probe } from "./probe.ts";
import type { Randomness } from "./randomness.ts";
import type { Residents } from "./residents.ts";

/** What a store host needs from its node. */
export interface NodeServices {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly probe: Probe | undefined;
  readonly log: Log;
  readonly leaseMs: number;
  readonly lanes: number;
  readonly retentionMs: number;
  /** See `TroupeOptions`. */
  readonly owns: boolean;
  readonly address: () => string | undefined;
  readonly contracts: ContractCheck | undefined;
  /** Tells another node to take partitions of a store; `undefined` without a transport. */
  readonly offer: ((node: NodeId, storeKey: string, partitions: readonly number[]) => Promise<void>) | undefined;
  /** The actors in memory of all stores, and the bound on their number. */
  readonly residents: Residents;
  /** Turns remembered per actor in memory; 0: none. */
  readonly recentTurns: number;
  /** Where turns, commits and publishes are counted; `undefined`: nowhere. */
  readonly metrics?: NodeMetrics | undefined;
  ref<A extends AnyActorType>(type: A, key: string, from: Envelope, deadline: number | undefined): ActorRef<A>;
}
