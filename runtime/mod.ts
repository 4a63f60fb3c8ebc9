/// <reference lib="esnext.disposable" preserve="true" />
/** The public door of the runtime. Nothing else in `runtime/` is imported from outside, but `internal.ts` by adapters. */
export { actor } from "./actor.ts";
export type { ActorOptions, ActorType, Declare, JournaledActorOptions } from "./actor.ts";
export type { AnyActorType, Emits, JournalOptions, Schema, StateOutput } from "./any-actor.ts";
export type { ActorRef, ActorTell, CallOptions } from "./actor-ref.ts";
export { formatAddress, parseAddress, PARTITION_COUNT, partitionOf } from "./address.ts";
export type { Address } from "./address.ts";
export type { CloudEvent } from "./cloud-event.ts";
export type { ClusterReport, ReportedActors, ReportedNode, ReportedStore } from "./cluster-report.ts";
export type { ContractCheck } from "./contract-check.ts";
export { systemClock } from "./clock.ts";
export type { Clock } from "./clock.ts";
export type {
  QueryContext,
  SetTimer,
  TimerDue,
  Timers,
  TimerView,
  TurnContext,
  Workflows,
  WorkflowStart,
} from "./context.ts";
export type { DeadLetterPage, DeadLetters, ReplayOutcome, ReplayStep } from "./dead-letters.ts";
export { durationMs, isDuration } from "./duration.ts";
export type { Duration } from "./duration.ts";
export type { Envelope } from "./envelope.ts";
export {
  InvalidInputError,
  MailboxFullError,
  PausedError,
  RefusedError,
  StateUnreadableError,
  TROUPE_ERROR_CODES,
  TroupeError,
} from "./errors.ts";
export type { InputIssue, StateProblem, TroupeErrorCode } from "./errors.ts";
export { eventNoun, toCloudEvent } from "./events.ts";
export { newId, uuidv7 } from "./ids.ts";
export type { FieldFilter, IndexableField, IndexFilter } from "./index-filter.ts";
export type { ActorInspection, RecentTurn } from "./inspection.ts";
export { silentLog } from "./log.ts";
export type { LeaveContext, LeaveReason, LifeContext } from "./life.ts";
export type { Log } from "./log.ts";
export type { PoisonOptions } from "./poison.ts";
export type { Apply, DeepReadonly, EventMeta, JournaledTurnContext } from "./journal-options.ts";
export type { JournalEntry, JournalPage } from "./journal-read.ts";
export type { Rebuilt } from "./journal-rebuild.ts";
export { ProjectionError } from "./ports/read-database.ts";
export type * from "./ports/metrics.ts";
export type * from "./ports/read-database.ts";
export type { PublishResult, Sink, SinkLane } from "./ports/sink.ts";
export type { Handled, Source, SourceConsumer, SourceMessage, SourceSubscription } from "./ports/source.ts";
export { FencedError, OutcomeUnknownError } from "./ports/store.ts";
export type * from "./ports/store.ts";
export type * from "./ports/topics.ts";
export type { Transport, WireError, WireReply } from "./ports/transport.ts";
export type { RestartPolicy } from "./restart-backoff.ts";
export type { Migration } from "./migration.ts";
export type { Probe, ProbedTurn } from "./probe.ts";
export { systemRandomness } from "./randomness.ts";
export type { Randomness } from "./randomness.ts";
export type { MissedTicks, Recurrence } from "./schedule.ts";
export { subscription } from "./subscription.ts";
export type { Subscription, SubscriptionStatus } from "./subscription.ts";
export { createTroupe } from "./create-troupe.ts";
export type { ActorSummary, ProjectionStatus, Troupe, TroupeOptions, TroupeStatus } from "./troupe.ts";
export type { WatchedState } from "./watch.ts";
export { memory } from "./memory-store.ts";
export { memoryTopics } from "./memory-topics.ts";
export type { MemoryTopicsOptions } from "./memory-topics.ts";
export { isTopic } from "./topic-name.ts";
