/** The door to one node. Owns nothing that runs: each method hands over to the part that does the work. */

import { type ActorLru } from "../activation/lru.ts";
import type { AnyActorType, AnyWorkerType, StateOutput } from "../actor/any-actor.ts";
import { REBUILD } from "../actor/rebuild-command.ts";
import { makeRef, NO_KEY } from "../actor/ref.ts";
import type { ActorRef, ActorTell, CallOptions, WorkerRef, WorkerTell } from "../actor/ref.ts";
import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import type { Randomness } from "../base/randomness.ts";
import { type ActorControls } from "../calls/actor-controls.ts";
import { type ActorRegistry } from "../calls/actor-registry.ts";
import { CallServer } from "../calls/call-server.ts";
import type { CrossingAsks } from "../calls/crossing-asks.ts";
import type { NodeLink } from "../calls/node-messages.ts";
import { type Router } from "../calls/router.ts";
import type { ActorInspection } from "../control/inspection.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import { type StoreHost } from "../host/store-host.ts";
import type { IndexFilter } from "../indexing/filter.ts";
import { findWhere, limitOf, toSummary, type ActorSummary } from "../indexing/where.ts";
import { type JournalEntry, type JournalPage, mustKeepJournal, readEntries, upToDate } from "../journal/read.ts";
import { type Rebuilt } from "../journal/rebuild.ts";
import type { ProjectionBuild } from "../ports/read-database.ts";
import type { Topics } from "../ports/topics.ts";
import type { Tracing } from "../ports/tracing.ts";
import type { Transport } from "../ports/transport.ts";
import { type Projections } from "../projections/projections.ts";
import { type Subscriptions } from "../subscriptions/subscriptions.ts";
import { watchActor, watchEnvelope, type WatchedState } from "../watch/watch.ts";
import type { Workers } from "../workers/workers.ts";
import { askNodes, type NodeAnswer } from "./ask-nodes.ts";
import type { ClusterReport } from "./cluster-report.ts";
import { type ApplicationAnswers, OwnAnswers } from "./node-answers.ts";
import { reportCluster } from "./report-cluster.ts";
import type { OutboxPosition, Troupe, TroupeStatus } from "./troupe.ts";

const NO_OPTIONS: CallOptions = {};

/** What a node is made of. */
export interface NodeParts {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly transport: Transport | undefined;
  readonly topics: Topics | undefined;
  readonly tracing: Tracing | undefined;
  /** The way to the other nodes; `undefined` without a transport. */
  readonly link: NodeLink | undefined;
  readonly crossings: CrossingAsks;
  readonly router: Router;
  /** `undefined`: there are none. */
  readonly workers: Workers | undefined;
  readonly types: ActorRegistry;
  readonly hosts: readonly StoreHost[];
  readonly residents: ActorLru;
  readonly controls: ActorControls;
  readonly projections: Projections;
  readonly subscriptions: Subscriptions;
  readonly deadLetters: DeadLetters;
  /** What the application answers to other nodes. */
  readonly answers: ApplicationAnswers;
  /** Ends the reading of this node's counts. */
  readonly detachMetrics: (() => void) | undefined;
}

export class Node implements Troupe {
  readonly nodeId: string;
  readonly tracing: Tracing | undefined;
  readonly deadLetters: DeadLetters;
  readonly #parts: NodeParts;
  readonly #answers: OwnAnswers;
  /** Aborted when the node stops: for what would wait on another node. */
  readonly #stopping = new AbortController();
  #stopped: Promise<void> | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.nodeId = parts.nodeId;
    this.tracing = parts.tracing;
    this.deadLetters = parts.deadLetters;
    this.#answers = new OwnAnswers(parts.hosts, parts.subscriptions, parts.crossings, parts.workers, parts.answers);
  }

  async start(): Promise<void> {
    const { router, types, clock, transport, projections, hosts, subscriptions } = this.#parts;
    const server = new CallServer(router, types, clock, this.#answers);
    await transport?.serve(this.nodeId, (envelope) => server.serve(envelope));
    await projections.open();
    await Promise.all(hosts.map((host) => host.start()));
    projections.start();
    subscriptions.start();
  }

  ref<A extends AnyActorType>(type: A, key: string): ActorRef<A>;
  ref<W extends AnyWorkerType>(worker: W): WorkerRef<W>;
  ref(type: AnyActorType | AnyWorkerType, key: string = NO_KEY): object {
    return makeRef(type, (message, input, options) => this.call(type.type, key, message, input, options));
  }

  tell<A extends AnyActorType>(type: A, key: string): ActorTell<A>;
  tell<W extends AnyWorkerType>(worker: W): WorkerTell<W>;
  tell(type: AnyActorType | AnyWorkerType, key: string = NO_KEY): object {
    return makeRef(type, (message, input) => this.#parts.router.tell(type.type, key, message, input));
  }

  call(type: string, key: string, message: string, input: unknown, options = NO_OPTIONS): Promise<unknown> {
    return this.#parts.router.call(type, key, message, input, options);
  }

  callText(type: string, key: string, message: string, input: unknown, options = NO_OPTIONS) {
    return this.#parts.router.callText(type, key, message, input, options);
  }

  async list<A extends AnyActorType>(
    type: A,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const rows = await this.#parts.types
      .hostOf(type.type)
      .store.list(type.type, { limit: limitOf(page), after: page.after });
    const committed =
      type.options.journal === undefined ? rows : await upToDate(this.#parts.types.hostOf(type.type).store, type, rows);
    return committed.map((row) => toSummary(type, row)) as ActorSummary<StateOutput<A>>[];
  }

  async where<A extends AnyActorType>(
    type: A,
    filter: IndexFilter<A>,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const found = await findWhere(this.#parts.types.hostOf(type.type).store, type, filter, page);
    return found as ActorSummary<StateOutput<A>>[];
  }

  async journal(type: AnyActorType, key: string, page: JournalPage = {}): Promise<readonly JournalEntry[]> {
    return readEntries(this.#parts.types.hostOf(type.type).store, type, key, page);
  }

  async rebuild(type: AnyActorType, key: string): Promise<Rebuilt> {
    mustKeepJournal(type);
    return (await this.call(type.type, key, REBUILD, undefined)) as Rebuilt;
  }

  rebuildProjection(name: string): Promise<ProjectionBuild> {
    return this.#parts.projections.rebuild(name);
  }

  projectionSettled(name: string, withinMs = 250): Promise<void> {
    return this.#parts.projections.settled(name, withinMs);
  }

  watch<A extends AnyActorType>(
    type: A,
    key: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<WatchedState<StateOutput<A>>> {
    const ended = signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    return watchActor({
      clock: this.#parts.clock,
      randomness: this.#parts.randomness,
      signal,
      stopping: () => this.#stopped !== undefined,
      poll: (seen) => this.#parts.router.routeUntil(ended, watchEnvelope(type.type, key, seen)),
      initial: () => type.options.initial(key) as StateOutput<A>,
    });
  }

  pause(type: string, key: string, reason: string): Promise<void> {
    return this.#parts.controls.pause({ type, key }, reason);
  }

  resume(type: string, key: string): Promise<void> {
    return this.#parts.controls.resume({ type, key });
  }

  reload(type: string, key: string): Promise<void> {
    return this.#parts.controls.reload({ type, key });
  }

  inspect(type: string, key: string): Promise<ActorInspection> {
    return this.#parts.controls.inspect({ type, key });
  }

  partitionOf(type: string, key: string): number {
    return this.#parts.types.hostOf(type).partitions.of(type, key);
  }

  get topics(): Pick<Topics, "subscribe"> {
    if (this.#parts.topics === undefined) throw new TypeError("Cannot subscribe as createTroupe was given no `topics`");
    return this.#parts.topics;
  }

  status(): TroupeStatus {
    const relays = this.#parts.hosts.flatMap((host) => host.relays);
    const names = [...new Set(relays.map((relay) => relay.sink.name))];
    return {
      nodeId: this.nodeId,
      actors: {
        active: this.#parts.residents.size,
        max: this.#parts.residents.max,
        evicted: this.#parts.residents.evicted,
      },
      droppedTells: this.#parts.router.droppedTells,
      stores: this.#parts.hosts.map((host) => ({
        name: host.store.name,
        ownedPartitions: host.partitions.held().length,
        movingPartitions: host.ownership.movingCount,
        activeActors: host.activeActors,
        leaseAgeMs: host.partitions.leaseAgeMs(),
      })),
      sinks: names.map((name) => {
        const mine = relays.filter((relay) => relay.sink.name === name);
        const pending = mine.reduce((sum, relay) => sum + relay.pending, 0);
        return { name, pending, failing: mine.find((relay) => relay.failing !== undefined)?.failing };
      }),
      projections: this.#parts.projections.status(relays),
      subscriptions: this.#parts.subscriptions.status(),
    };
  }

  outbox(): readonly OutboxPosition[] {
    return this.#parts.hosts.flatMap((host) =>
      host.relays.map((relay) => ({
        store: host.store.name,
        sink: relay.sink.name,
        failing: relay.failing,
        failingSince: relay.failingSince,
        partitions: relay.cursors(),
      })),
    );
  }

  cluster(timeoutMs = 500): Promise<ClusterReport> {
    return reportCluster(this.nodeId, this.#parts.hosts, this.#parts.link, timeoutMs, this.#answers);
  }

  askNodes(what: string, input: unknown, timeoutMs = 500): Promise<readonly NodeAnswer[]> {
    return askNodes(this.nodeId, this.#parts.hosts, this.#parts.link, { what, input, timeoutMs }, this.#answers);
  }

  async leave(timeoutMs = 10_000): Promise<void> {
    await this.#until(timeoutMs, (deadline) => Promise.all(this.#parts.hosts.map((host) => host.leave(deadline))));
  }

  stop(timeoutMs = 10_000): Promise<void> {
    return (this.#stopped ??= this.#stop(timeoutMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(timeoutMs: number): Promise<void> {
    const { router, workers, projections, subscriptions, hosts, transport, detachMetrics } = this.#parts;
    this.#stopping.abort();
    router.stopRetrying();
    // Each part is stopped, whatever another one throws: the first error is told when all is down.
    const errors: unknown[] = [];
    const all = async (...parts: Promise<unknown>[]): Promise<void> => {
      for (const end of await Promise.allSettled(parts)) if (end.status === "rejected") errors.push(end.reason);
    };
    await this.#until(timeoutMs, async (deadline) => {
      await Promise.race([all(projections.stop(), subscriptions.stop(timeoutMs)), deadline]);
      await all(...hosts.map((host) => host.stop(deadline)));
      // Behind the actors, whose turns may ask them while they drain.
      await all(workers?.stop(deadline) ?? Promise.resolve());
      await all(projections.close());
    });
    router.stop();
    await all(transport?.close() ?? Promise.resolve());
    detachMetrics?.();
    if (errors.length > 0) throw errors[0];
  }

  async #until(timeoutMs: number, run: (deadline: Promise<void>) => Promise<unknown>): Promise<void> {
    await withDeadline(this.#parts.clock, timeoutMs, run);
  }
}
