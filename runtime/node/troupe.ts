import type { AnyActorType, AnyWorkerType, StateOutput } from "../actor/any-actor.ts";
import type { ContractCheck } from "../actor/contract-check.ts";
import type { ActorRef, ActorTell, CallOptions, WorkerRef, WorkerTell } from "../actor/ref.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Randomness } from "../base/randomness.ts";
import type { ActorInspection } from "../control/inspection.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import type { IndexFilter } from "../indexing/filter.ts";
import type { ActorSummary } from "../indexing/where.ts";
import type { JournalEntry, JournalPage } from "../journal/read.ts";
import type { Rebuilt } from "../journal/rebuild.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Probe } from "../ports/probe.ts";
import type { ProjectionBuild, ReadDatabase } from "../ports/read-database.ts";
import type { Sink } from "../ports/sink.ts";
import type { Source } from "../ports/source.ts";
import type { Store } from "../ports/store.ts";
import type { Topics } from "../ports/topics.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { Transport } from "../ports/transport.ts";
import type { ProjectionStatus } from "../projections/projections.ts";
import type { WatchedState } from "../watch/watch.ts";
import type { NodeAnswer } from "./ask-nodes.ts";
import type { ClusterReport } from "./cluster-report.ts";
import type { ApplicationAnswers } from "./node-answers.ts";

/** What `createTroupe` is given. */
export interface TroupeOptions {
  readonly actors: readonly AnyActorType[];
  /** The stateless workers that this node runs, and may call. Default: none. */
  readonly workers?: readonly AnyWorkerType[];
  /** Where each actor type lives: by type, or `default` for the rest. Several types may share a store. */
  readonly stores: Readonly<Record<string, Store>>;
  /** Where events and workflow requests go. None: they stay in the outbox. */
  readonly sinks?: readonly Sink[];
  /** Where the events come from that actors subscribe to: by actor type, or `default` for the rest. None: they wait. */
  readonly sources?: Readonly<Record<string, Source>>;
  /** Where broadcasts go to and are followed. Stays open when the node stops. None: they stay in the outbox. */
  readonly topics?: Topics;
  /** Where projections keep their tables: read models of what journaled actors emit. */
  readonly projections?: readonly ReadDatabase[];
  /** Carries calls to other nodes. Without one, a call to an actor owned elsewhere is `unavailable`. */
  readonly transport?: Transport;
  /** Unique among running nodes. Default: a new id. */
  readonly nodeId?: string;
  /** How long a silent node keeps its partitions. Default `2500` ms. */
  readonly leaseMs?: number;
  /** Commit lanes per store. Default 2. */
  readonly lanes?: number;
  /** How long replies and relayed outbox rows are kept. Default 24 h. */
  readonly retentionMs?: number;
  /**
   * Whether this node takes partitions. One that does not routes every call to the nodes that do: for processes that only
   * serve HTTP or run workflows. Default true.
   */
  readonly owns?: boolean;
  /** Where this node serves people, for those who look at the cluster. Asked when the node starts. */
  readonly address?: () => string | undefined;
  /** Refuses the start of a node whose contracts do not fit those of the running ones. Default: every node may start. */
  readonly contracts?: ContractCheck;
  /**
   * Actors in memory at most, all types together. Beyond it those that were not used for longest leave memory, unless
   * they are busy; the next message loads them again. Default 100,000.
   */
  readonly maxActiveActors?: number;
  /**
   * Whether replies are checked against `out` of their messages: a turn whose reply does not fit fails, as any that throws. For
   * development and tests, as it costs a parse of each reply. Default false.
   */
  readonly checkReplies?: boolean;
  /** How many of its last turns an actor in memory remembers, for `inspect`. Costs a little per message. Default 0. */
  readonly recentTurns?: number;
  /** Takes this node's counts, to be read at any time. None: nothing is counted. */
  readonly metrics?: Metrics;
  /** What this node answers to `askNodes` of the others, by name: JSON, from JSON. Default: nothing. */
  readonly answers?: ApplicationAnswers;
  /** Takes the spans of this node: see `otel` in `troupe/otel`. None: traces are handed on, and nothing of them is told. */
  readonly tracing?: Tracing | undefined;
  readonly clock?: Clock;
  /** Where ids and the spread of pauses come from. Default: the machine's. */
  readonly randomness?: Randomness;
  /** Watches from inside, for simulations. Default: nobody does. */
  readonly probe?: Probe;
  /** Gets one line per noteworthy event. Default: silent. */
  readonly log?: Log;
}

/**
 * A running node of the actor system. Made by `createTroupe`.
 *
 * @example
 * ```ts
 * await troupe.ref(Counter, "visits").add({ by: 1 }); // typed
 * await troupe.call("counter", "visits", "add", { by: 1 }); // by name, as from a request
 * for (const { key, state } of await troupe.list(Counter, { limit: 10 })) console.log(key, state.count);
 * await troupe.stop();
 * ```
 */
export interface Troupe {
  readonly nodeId: string;
  /** Where its spans go; `undefined`: nowhere. For doors, whose spans its turns are part of. */
  readonly tracing?: Tracing | undefined;
  /** A typed handle on an actor, wherever it lives. */
  ref<A extends AnyActorType>(type: A, key: string): ActorRef<A>;
  /** A typed handle on a stateless worker: its calls run here where a copy is free, else where another node has one. */
  ref<W extends AnyWorkerType>(worker: W): WorkerRef<W>;
  /**
   * As `ref`, for messages whose reply nobody waits for: at most once, and gone with this process until its turn has
   * committed. It waits in the mailbox while more comes than can be committed; once that is full it is dropped, counted
   * (`status().droppedTells`) and logged (`tell:dropped`). One that is refused or fails is logged (`tell:failed`) and heard of
   * no more: where it must arrive, use `c.send` in a turn, or `ref`.
   *
   * @example
   * ```ts
   * troupe.tell(Counter, "visits").add({ by: 1 });
   * ```
   */
  tell<A extends AnyActorType>(type: A, key: string): ActorTell<A>;
  tell<W extends AnyWorkerType>(worker: W): WorkerTell<W>;
  /** Calls a message by name; what `ref` and the ingress are made of. The key of a stateless worker is `"-"`. */
  call(type: string, key: string, message: string, input: unknown, options?: CallOptions): Promise<unknown>;
  /** As `call`, with the reply as the JSON text that it is stored as: for doors, that only hand it on. `undefined`: it is empty. */
  callText(
    type: string,
    key: string,
    message: string,
    input: unknown,
    options?: CallOptions,
  ): Promise<string | undefined>;
  /**
   * Committed actors of a type in order of their key: `limit` (default 50, at most 200), after the key `after`. States of
   * earlier schema versions are shown migrated.
   * @throws {StateUnreadableError} when one of them cannot be.
   */
  list<A extends AnyActorType>(
    type: A,
    page?: { limit?: number; after?: string },
  ): Promise<readonly ActorSummary<StateOutput<A>>[]>;
  /**
   * Committed actors of a type by the fields it indexes (`index` of {@link actor}), in order of their key: `limit`
   * (default 50, at most 200), after the key `after`. All conditions must hold; an empty filter is `list`.
   *
   * @throws {TypeError} the filter names a field that is not indexed, or asks for what no field can hold.
   * @throws {TroupeError} `index_incomplete`, retryable: actors stored before a field was indexed are still being added,
   * or a node that indexes other fields holds some of them.
   *
   * @example
   * ```ts
   * await troupe.where(Stock, { onHand: { lt: 10 }, warehouse: { in: ["north", "south"] } }, { limit: 20 });
   * ```
   */
  where<A extends AnyActorType>(
    type: A,
    filter: IndexFilter<A>,
    page?: { limit?: number; after?: string },
  ): Promise<readonly ActorSummary<StateOutput<A>>[]>;
  /**
   * The committed events of a journaled actor, oldest first: `limit` (default 100, at most 1,000), behind `after`. They
   * outlive the actor: `$destroyed` says where it was destroyed.
   * @throws {TypeError} when the type keeps no journal.
   */
  journal(type: AnyActorType, key: string, page?: JournalPage): Promise<readonly JournalEntry[]>;
  /**
   * Recomputes the state of a journaled actor from its whole journal, compares, and replaces a state that differs.
   * @throws {RefusedError} `journal_incomplete`: the actor lived before its type was journaled.
   * @throws {TypeError} when the type keeps no journal.
   */
  rebuild(type: AnyActorType, key: string): Promise<Rebuilt>;
  /**
   * Builds a projection anew from the journals, in the version this node has, while the live build serves; then readers
   * move over in one transaction. Returns at once; where a build is under way already, with that one.
   * @throws {TypeError} when there is no such projection here.
   */
  rebuildProjection(name: string): Promise<ProjectionBuild>;
  /** Waits until what this node has handed to a projection was applied, or `withinMs` (default 250) have passed. */
  projectionSettled(name: string, withinMs?: number): Promise<void>;
  /**
   * The durable states of an actor: first the present one, then each newer one. A reader that takes its time meets the
   * newest state next, whatever came between; a turn that is not committed is never shown. It works wherever the actor
   * lives and goes on when it moves; watching does not create an actor nor keep it in memory.
   *
   * Ends when `signal` is aborted.
   * @throws {TroupeError} `invalid_input`, `unknown_actor`; `state_unreadable`; `stopping` when this node stops. What passes
   * by itself (an owner that moves or cannot be reached) is waited for.
   *
   * @example
   * ```ts
   * for await (const { state, version } of troupe.watch(Order, "ord_42", { signal: request.signal })) {
   *   socket.send(JSON.stringify({ version, status: state.status }));
   * }
   * ```
   */
  watch<A extends AnyActorType>(
    type: A,
    key: string,
    options?: { readonly signal?: AbortSignal },
  ): AsyncIterable<WatchedState<StateOutput<A>>>;
  /**
   * Pauses an actor, wherever it lives: it takes no commands any more. Calls are refused with `paused`
   * ({@link PausedError}, retryable); its timers and sends wait in order; queries are still answered; a turn under way
   * comes to its end. Durable: it stays paused over restarts and moves. Resolves when that is written. One that is
   * paused already keeps its reason.
   */
  pause(type: string, key: string, reason: string): Promise<void>;
  /** Ends a pause: what waits comes in order, sends within 5 s. Does nothing where there is none. */
  resume(type: string, key: string): Promise<void>;
  /**
   * Drops an actor from memory and lets its next message load it anew. Messages that come meanwhile wait. A turn that
   * is still running counts for nothing, and its caller is told so: this frees an actor whose handler hangs.
   */
  reload(type: string, key: string): Promise<void>;
  /** A look at an actor, also at one that does not exist. Its state is the committed one. */
  inspect(type: string, key: string): Promise<ActorInspection>;
  /**
   * The number of the partition that an actor lives in, in the store of its type.
   * @throws {TroupeError} `unknown_actor`.
   */
  partitionOf(type: string, key: string): number;
  /** What will not be tried again by itself. */
  readonly deadLetters: DeadLetters;
  /** What actors broadcast. @throws {TypeError} the node was given no `topics`. */
  readonly topics: Pick<Topics, "subscribe">;
  status(): TroupeStatus;
  /** Where each sink stands in each partition that this node holds. */
  outbox(): readonly OutboxPosition[];
  /** The whole cluster, as far as it answers within `timeoutMs` (default 500). */
  cluster(timeoutMs?: number): Promise<ClusterReport>;
  /**
   * Asks the application of every node, this one included, what its `answers` say to `what`. One that is away, says nothing within
   * `timeoutMs` (default 500) or has no such answer is listed without one. For what is kept in memory here and there, as traces.
   */
  askNodes(what: string, input: unknown, timeoutMs?: number): Promise<readonly NodeAnswer[]>;
  /**
   * Hands the partitions over to the other nodes, a few at a time, and takes none any more. Calls are still taken and
   * routed: a process does this before it stops to listen. Waits at most `timeoutMs` (default 10,000); what is left then
   * is given back by `stop`.
   */
  leave(timeoutMs?: number): Promise<void>;
  /** Drains turns, saves cursors, gives the partitions back. Waits at most `timeoutMs` (default 10,000). */
  stop(timeoutMs?: number): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How far one sink has got in the outbox of one store, as one node knows it. */
export interface OutboxPosition {
  readonly store: string;
  readonly sink: string;
  /** The last publish failure, while it lasts. */
  readonly failing: string | undefined;
  /** Milliseconds since 1970. */
  readonly failingSince: number | undefined;
  /** The partitions that the node holds. */
  readonly partitions: readonly {
    readonly partition: number;
    /** Every record up to here was taken by the sink, became a dead letter, or is not for it. */
    readonly cursor: number;
    /** The last record that was committed. */
    readonly last: number;
  }[];
}

/** A look at the node, for `/ready`, `/actors` and the console. */
export interface TroupeStatus {
  readonly nodeId: string;
  /** The actors in memory of all stores. */
  readonly actors: {
    readonly active: number;
    /** The bound on them (`maxActiveActors`). */
    readonly max: number;
    /** How many have left memory because of the bound, since the start. */
    readonly evicted: number;
  };
  /** Messages of `tell` that have failed since the start: for want of room (`tell:dropped`), or else (`tell:failed`). */
  readonly droppedTells: number;
  readonly stores: readonly {
    readonly name: string;
    readonly ownedPartitions: number;
    /** Of these, those that are being handed over to another node. */
    readonly movingPartitions: number;
    readonly activeActors: number;
    /** Milliseconds since the last successful lease renewal. */
    readonly leaseAgeMs: number;
  }[];
  readonly sinks: readonly {
    readonly name: string;
    readonly pending: number;
    /** The last publish failure, while it lasts. */
    readonly failing: string | undefined;
  }[];
  readonly projections: readonly ProjectionStatus[];
  /** Of actor types that subscribe to events and have a source. */
  readonly subscriptions: readonly SubscriptionStatus[];
}
