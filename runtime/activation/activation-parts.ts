import type { LeaveReason } from "../actor/life.ts";
import type { Deadlines } from "../base/deadlines.ts";
import type { CommitLanes } from "../commit/commit-lanes.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Probe } from "../ports/probe.ts";
import type { ActorId } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { TurnParts } from "../turn/turn.ts";
import type { ActorReader } from "./actor-reader.ts";

/** What the actors of one store on this node work with. */
export interface ActivationParts extends TurnParts {
  readonly reader: ActorReader;
  readonly actors: {
    /** Takes a quiet actor out of memory. */
    evict(actor: ActorId, reason: LeaveReason): void;
    /** An actor in memory, with what its turn waits for. */
    find(type: string, key: string): { readonly waitingFor: Iterable<string> } | undefined;
    /** The actor is gone by itself: no message may come to it any more. */
    forget(actor: ActorId): void;
  };
  /** The way from those whom a turn waits for up to one of `callers`, on whatever nodes they are; `undefined`: there is none. */
  readonly askedInTurn: (
    waitingFor: Iterable<string>,
    callers: readonly string[],
  ) => Promise<readonly string[] | undefined>;
  readonly lanes: CommitLanes;
  /** Until when turns that await may take. */
  readonly turnLimits: Deadlines;
  readonly timers: TimerService;
  readonly partitions: PartitionTable;
  readonly log: StoreLog;
  /** Where turns are counted that nothing has to be written for. */
  readonly metrics: NodeMetrics | undefined;
  /** Where turns of traces that are recorded are told. */
  readonly spans: NodeSpans | undefined;
  readonly probe: Probe | undefined;
}
