import type { ActorLru } from "../activation/lru.ts";
import type { AnyActorType, AnyWorkerType } from "../actor/any-actor.ts";
import type { ContractCheck } from "../actor/contract-check.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Randomness } from "../base/randomness.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Probe } from "../ports/probe.ts";
import type { NodeId, Store } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { TurnAsks } from "../turn/turn-asks.ts";

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
  /** All stores of the node. */
  readonly stores: () => readonly Store[];
  /** See `TroupeOptions`. */
  readonly owns: boolean;
  readonly address: () => string | undefined;
  readonly contracts: ContractCheck | undefined;
  /** The names of its stateless workers. */
  readonly workers: readonly string[];
  /** Tells another node to take partitions of a store; `undefined` without a transport. */
  readonly offer: ((node: NodeId, storeKey: string, partitions: readonly number[]) => Promise<void>) | undefined;
  /** The actors in memory of all stores, and the bound on their number. */
  readonly residents: ActorLru;
  /** Turns remembered per actor in memory; 0: none. */
  readonly recentTurns: number;
  /** Where turns, commits and publishes are counted; `undefined`: nowhere. */
  readonly metrics?: NodeMetrics | undefined;
  /** Where what is done of a message is told, trace by trace; `undefined`: nowhere. */
  readonly spans?: NodeSpans | undefined;
  /** See `ActivationParts`. */
  readonly askedInTurn: (
    waitingFor: Iterable<string>,
    callers: readonly string[],
  ) => Promise<readonly string[] | undefined>;
  ref(
    type: AnyActorType | AnyWorkerType,
    key: string,
    from: Envelope,
    deadline: number | undefined,
    asks: TurnAsks,
  ): object;
}
