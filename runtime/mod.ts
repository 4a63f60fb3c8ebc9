/// <reference lib="esnext.disposable" preserve="true" />
/** The public door of the runtime. Nothing else in `runtime/` is imported from outside, but `internal.ts` by adapters. */
export { actor } from "./actor/actor.ts";
export type { ActorOptions, ActorType, Declare, JournaledActorOptions } from "./actor/actor.ts";
export type {
  AnyActorType,
  AnySockets,
  AnyWorkDefinition,
  AnyWorkerType,
  Emits,
  JournalOptions,
  Schema,
  StateOutput,
} from "./actor/any-actor.ts";
export { statelessWorker } from "./actor/stateless-worker.ts";
export type { DeclareWork, WorkContext, WorkDefinition, WorkerOptions, WorkerType } from "./actor/stateless-worker.ts";
export { NO_KEY } from "./actor/ref.ts";
export type { ActorRef, ActorTell, CallOptions, WorkerRef, WorkerTell, WorkOptions } from "./actor/ref.ts";
export {
  checkedPartitions,
  formatAddress,
  MAX_PARTITIONS,
  parseAddress,
  PARTITION_COUNT,
  partitionOf,
} from "./message/address.ts";
export type { Address } from "./message/address.ts";
export type { CloudEvent } from "./message/cloud-event.ts";
export type { NodeAnswer } from "./node/ask-nodes.ts";
export type { ApplicationAnswers } from "./node/node-answers.ts";
export type { ClusterReport, ReportedNode, ReportedStore } from "./node/cluster-report.ts";
export type { ReportedActors } from "./activation/activation-directory.ts";
export type { ContractCheck } from "./actor/contract-check.ts";
export { systemClock } from "./base/clock.ts";
export type { Clock } from "./base/clock.ts";
export type {
  ActorSockets,
  QueryContext,
  SetTimer,
  TimerDue,
  Timers,
  TimerView,
  TurnContext,
  Workflows,
  WorkflowStart,
} from "./actor/context.ts";
export type { DeadLetterPage, DeadLetters, ReplayOutcome, ReplayStep } from "./dead-letters/dead-letters.ts";
export { durationMs, isDuration } from "./base/duration.ts";
export type { Duration } from "./base/duration.ts";
export type { Envelope } from "./ports/envelope.ts";
export {
  InvalidInputError,
  MailboxFullError,
  OverloadedError,
  PausedError,
  RefusedError,
  StateUnreadableError,
  TROUPE_ERROR_CODES,
  TroupeError,
} from "./message/errors.ts";
export type { InputIssue, RefuseOptions, StateProblem, TroupeErrorCode } from "./message/errors.ts";
export { checkedInput } from "./message/checked-input.ts";
export { eventNoun, toCloudEvent } from "./message/cloud-event.ts";
export { newId, uuidv7 } from "./base/ids.ts";
export type { FieldFilter, IndexFilter } from "./indexing/filter.ts";
export type { IndexableField } from "./actor/indexable.ts";
export type { ActorInspection, RecentTurn } from "./control/inspection.ts";
export { silentLog } from "./base/log.ts";
export type { LeaveContext, LeaveReason, LifeContext } from "./actor/life.ts";
export type { Log } from "./base/log.ts";
export type { PoisonOptions } from "./actor/poison-options.ts";
export type { Apply, DeepReadonly, EventMeta, JournaledTurnContext } from "./actor/journal-options.ts";
export type { JournalEntry, JournalPage } from "./journal/read.ts";
export type { Rebuilt } from "./journal/rebuild.ts";
export { ProjectionError } from "./ports/read-database.ts";
export type * from "./ports/metrics.ts";
export type * from "./ports/read-database.ts";
export type { PublishResult, Sink, SinkLane } from "./ports/sink.ts";
export type { Handled, Source, SourceConsumer, SourceMessage, SourceSubscription } from "./ports/source.ts";
export {
  CommitRefusedError,
  FencedError,
  OutcomeUnknownError,
  PartitionsDifferError,
  SENT_IDS,
} from "./ports/store.ts";
export type * from "./ports/store.ts";
export type * from "./ports/topics.ts";
export { isRecorded } from "./ports/tracing.ts";
export type { Span, SpanAttributes, SpanStart, Tracing } from "./ports/tracing.ts";
export type { Transport, WireError, WireReply } from "./ports/transport.ts";
export { standard } from "./actor/standard.ts";
export type { StandardIssue, StandardResult, StandardSchema } from "./actor/standard.ts";
export type { RestartPolicy } from "./actor/restart-policy.ts";
export type { Migration } from "./actor/migration.ts";
export type { Probe, ProbedTurn } from "./ports/probe.ts";
export { systemRandomness } from "./base/randomness.ts";
export type { Randomness } from "./base/randomness.ts";
export type { MissedTicks, Recurrence } from "./actor/recurrence.ts";
export { subscription } from "./actor/subscription.ts";
export type { Subscription, SubscriptionStatus } from "./actor/subscription.ts";
export { createTroupe } from "./node/create-troupe.ts";
export type { OutboxPosition, Troupe, TroupeOptions, TroupeStatus } from "./node/troupe.ts";
export type { ProjectionStatus } from "./projections/projections.ts";
export type { ActorSummary } from "./indexing/where.ts";
export type { WatchedState } from "./watch/watch.ts";
export type { DeclareSockets, Socket, SocketHandlers, SocketsDefinition, SocketSchemas } from "./actor/sockets.ts";
export { memory } from "./memory/memory-store.ts";
export { memoryTopics } from "./topics/memory-topics.ts";
export type { MemoryTopicsOptions } from "./topics/memory-topics.ts";
export { isTopic } from "./topics/name.ts";
