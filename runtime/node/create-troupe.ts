/**
 * One node: puts its parts together, starts and stops them, and is the door to them.
 *
 * Owns: nothing that runs. Calls go through the `Router`, actors live with a `StoreHost` per store, read models with
 * `Projections`.
 */

import type { ReportedActors } from "../activation/activation-directory.ts";
import { Residents } from "../activation/lru.ts";
import type { AnyActorType, StateOutput } from "../actor/any-actor.ts";
import { controlEnvelope } from "../actor/control-messages.ts";
import { REBUILD } from "../actor/rebuild-command.ts";
import { makeRef } from "../actor/ref.ts";
import type { ActorRef, ActorTell, CallOptions } from "../actor/ref.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { MAX_ACTIVE_ACTORS, MAX_REASON_LENGTH } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { type Randomness, systemRandomness } from "../base/randomness.ts";
import { TypeDirectory } from "../calls/actor-registry.ts";
import { CallServer } from "../calls/call-server.ts";
import { askNode, type NodeAnswers, type NodeLink } from "../calls/node-messages.ts";
import { Router } from "../calls/router.ts";
import type { ActorInspection } from "../control/inspection.ts";
import { type DeadLetters, StoredDeadLetters } from "../dead-letters/dead-letters.ts";
import type { NodeServices } from "../host/node-services.ts";
import { StoreHost } from "../host/store-host.ts";
import type { IndexFilter } from "../indexing/filter.ts";
import { findWhere, limitOf, toSummary, type ActorSummary } from "../indexing/where.ts";
import { type JournalEntry, type JournalPage, mustKeepJournal, readEntries, upToDate } from "../journal/read.ts";
import { type Rebuilt } from "../journal/rebuild.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope, Seen } from "../ports/envelope.ts";
import type { ProjectionBuild } from "../ports/read-database.ts";
import type { Sink } from "../ports/sink.ts";
import type { Topics } from "../ports/topics.ts";
import type { Transport } from "../ports/transport.ts";
import { Projections } from "../projections/projections.ts";
import { sendSink } from "../relay/send-sink.ts";
import { Subscriptions } from "../subscriptions/subscriptions.ts";
import { NodeMetrics } from "../telemetry/node-metrics.ts";
import { POLL_MS } from "../watch/watch-polls.ts";
import { watchActor, type WatchedState } from "../watch/watch.ts";
import type { ClusterReport } from "./cluster-report.ts";
import { reportCluster } from "./report-cluster.ts";
import type { Troupe, TroupeOptions, TroupeStatus } from "./troupe.ts";

const OFFER_TIMEOUT_MS = 2_000;
/** A poll's answer may be on its way for this long. */
const POLL_GRACE_MS = 5_000;

/**
 * Starts a node: opens the stores, takes the partitions that are free, runs timers and relays.
 *
 * @throws {TypeError} when two actor types share a name, or a type has no store.
 * @throws when a store cannot be opened.
 *
 * @example
 * ```ts
 * const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
 * await troupe.ref(Counter, "visits").add({ by: 1 }); // 1
 * await troupe.stop();
 * ```
 */
export async function createTroupe(options: TroupeOptions): Promise<Troupe> {
  const node = new Node(options);
  try {
    await node.start();
  } catch (error) {
    // What had started must not go on without anybody who could stop it.
    await node.stop(0).catch(() => undefined);
    throw error;
  }
  return node;
}

class Node implements Troupe, NodeAnswers {
  readonly nodeId: string;
  readonly #types = new TypeDirectory();
  readonly #hosts: StoreHost[] = [];
  readonly #projections: Projections;
  readonly #subscriptions: Subscriptions;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #transport: Transport | undefined;
  readonly #topics: Topics | undefined;
  readonly #router: Router;
  readonly deadLetters: DeadLetters;
  readonly #residents: Residents;
  /** Aborted when the node stops: for what would wait on another node. */
  readonly #stopping = new AbortController();
  /** Ends the reading of this node's counts. */
  #detach: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: TroupeOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#randomness = options.randomness ?? systemRandomness;
    this.nodeId = options.nodeId ?? `node_${this.#randomness.uuid(this.#clock.now())}`;
    this.#transport = options.transport;
    this.#topics = options.topics;
    const log = options.log ?? silentLog;
    this.#router = new Router({
      nodeId: this.nodeId,
      clock: this.#clock,
      randomness: this.#randomness,
      transport: options.transport,
      types: this.#types,
      log,
    });
    const link = this.#link();
    this.#residents = new Residents(options.maxActiveActors ?? MAX_ACTIVE_ACTORS, this.#clock);
    const services: NodeServices = {
      nodeId: this.nodeId,
      clock: this.#clock,
      randomness: this.#randomness,
      probe: options.probe,
      log,
      leaseMs: options.leaseMs ?? 2_500,
      lanes: options.lanes ?? 2,
      retentionMs: options.retentionMs ?? 86_400_000,
      owns: options.owns ?? true,
      address: options.address ?? (() => undefined),
      contracts: options.contracts,
      offer:
        link === undefined
          ? undefined
          : async (node, store, partitions) => {
              await askNode(link, node, "take", { store, input: partitions, timeoutMs: OFFER_TIMEOUT_MS });
            },
      residents: this.#residents,
      recentTurns: options.recentTurns ?? 0,
      metrics:
        options.metrics === undefined
          ? undefined
          : new NodeMetrics(
              () => this.#hosts,
              () => this.#subscriptions.status(),
            ),
      ref: (type, key, from, deadline, asks) =>
        makeRef(type, (message, input, call) =>
          this.#router.callFrom(from, deadline, type, key, message, input, asks, call),
        ),
    };
    this.#projections = new Projections(options.projections ?? [], {
      nodeId: this.nodeId,
      clock: this.#clock,
      log: services.log,
      now: () => this.#clock.now(),
      history: (type, positions, limit) => this.#types.hostOf(type).store.readHistory(type, positions, limit),
      bury: (type, letter) => this.#types.hostOf(type).letters.record([letter]),
    });
    this.deadLetters = new StoredDeadLetters({
      clock: this.#clock,
      stores: () => this.#hosts.map((host) => host.store),
      bury: (type, letter) => this.#types.hostOf(type).letters.record([letter]),
      route: (envelope) => this.#router.route(envelope),
    });
    const sinks: Sink[] = [
      ...(options.sinks ?? []),
      ...(options.topics === undefined ? [] : [options.topics.sink]),
      ...this.#projections.sinks,
      sendSink({
        route: (envelope) => this.#router.route(envelope),
        typeOf: (type) => this.#types.find(type),
        pause: (actor, reason) => this.pause(actor.type, actor.key, reason),
      }),
    ];
    for (const [storeKey, types] of groupByStore(options)) {
      const host = new StoreHost(
        storeKey,
        options.stores[storeKey] as (typeof options.stores)[string],
        types,
        sinks,
        services,
      );
      this.#hosts.push(host);
      for (const type of types) this.#types.add(type, host);
    }
    this.#projections.checkSources((name) => this.#types.find(name));
    if (services.metrics !== undefined) this.#detach = options.metrics?.attach(services.metrics);
    this.#subscriptions = new Subscriptions(options.actors, options.sources ?? {}, {
      clock: this.#clock,
      log: services.log,
      randomness: this.#randomness,
      route: (envelope) => this.#router.route(envelope),
      pause: (actor, reason) => this.pause(actor.type, actor.key, reason),
      bury: (type, letter) => this.#types.hostOf(type).letters.record([letter]),
      holds: (type, partition) => {
        const { partitions } = this.#types.hostOf(type);
        return partitions.partition(partition) !== undefined && partitions.holdsLease();
      },
    });
  }

  async start(): Promise<void> {
    const server = new CallServer(this.#router, this.#types, this.#clock, this);
    await this.#transport?.serve(this.nodeId, (envelope) => server.serve(envelope));
    await this.#projections.open();
    await Promise.all(this.#hosts.map((host) => host.start()));
    this.#projections.start();
    this.#subscriptions.start();
  }

  ref<A extends AnyActorType>(type: A, key: string): ActorRef<A> {
    return makeRef(type, (message, input, options) => this.call(type.type, key, message, input, options));
  }

  tell<A extends AnyActorType>(type: A, key: string): ActorTell<A> {
    return makeRef<A, ActorTell<A>>(type, (message, input) => this.#router.tell(type.type, key, message, input));
  }

  call(type: string, key: string, message: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#router.call(type, key, message, input, options);
  }

  async list<A extends AnyActorType>(
    type: A,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const rows = await this.#types.hostOf(type.type).store.list(type.type, { limit: limitOf(page), after: page.after });
    const committed =
      type.options.journal === undefined ? rows : await upToDate(this.#types.hostOf(type.type).store, type, rows);
    return committed.map((row) => toSummary(type, row)) as ActorSummary<StateOutput<A>>[];
  }

  async where<A extends AnyActorType>(
    type: A,
    filter: IndexFilter<A>,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const found = await findWhere(this.#types.hostOf(type.type).store, type, filter, page);
    return found as ActorSummary<StateOutput<A>>[];
  }

  async journal(type: AnyActorType, key: string, page: JournalPage = {}): Promise<readonly JournalEntry[]> {
    return readEntries(this.#types.hostOf(type.type).store, type, key, page);
  }

  async rebuild(type: AnyActorType, key: string): Promise<Rebuilt> {
    mustKeepJournal(type);
    return (await this.call(type.type, key, REBUILD, undefined)) as Rebuilt;
  }

  rebuildProjection(name: string): Promise<ProjectionBuild> {
    return this.#projections.rebuild(name);
  }

  projectionSettled(name: string, withinMs = 250): Promise<void> {
    return this.#projections.settled(name, withinMs);
  }

  watch<A extends AnyActorType>(
    type: A,
    key: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterable<WatchedState<StateOutput<A>>> {
    const ended = signal === undefined ? this.#stopping.signal : AbortSignal.any([signal, this.#stopping.signal]);
    return watchActor({
      clock: this.#clock,
      randomness: this.#randomness,
      signal,
      stopping: () => this.#stopped !== undefined,
      poll: (seen) => this.#router.routeUntil(ended, watchEnvelope(type.type, key, seen)),
      initial: () => type.options.initial(key) as StateOutput<A>,
    });
  }

  async pause(type: string, key: string, reason: string): Promise<void> {
    await this.#router.route(
      controlEnvelope({ type, key }, "$pause", reason.replaceAll("\u0000", "").slice(0, MAX_REASON_LENGTH)),
    );
  }

  async resume(type: string, key: string): Promise<void> {
    await this.#router.route(controlEnvelope({ type, key }, "$resume", undefined));
  }

  async reload(type: string, key: string): Promise<void> {
    await this.#router.route(controlEnvelope({ type, key }, "$reload", undefined));
  }

  async inspect(type: string, key: string): Promise<ActorInspection> {
    const body = await this.#router.route(controlEnvelope({ type, key }, "$inspect", undefined));
    return JSON.parse(body ?? "{}") as ActorInspection;
  }

  get topics(): Pick<Topics, "subscribe"> {
    if (this.#topics === undefined) throw new TypeError("Cannot subscribe as createTroupe was given no `topics`");
    return this.#topics;
  }

  status(): TroupeStatus {
    const relays = this.#hosts.flatMap((host) => host.relays);
    const names = [...new Set(relays.map((relay) => relay.sink.name))];
    return {
      nodeId: this.nodeId,
      actors: { active: this.#residents.size, max: this.#residents.max, evicted: this.#residents.evicted },
      droppedTells: this.#router.droppedTells,
      stores: this.#hosts.map((host) => ({
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
      projections: this.#projections.status(relays),
      subscriptions: this.#subscriptions.status(),
    };
  }

  cluster(timeoutMs = 500): Promise<ClusterReport> {
    return reportCluster(this.nodeId, this.#hosts, this.#link(), timeoutMs, this);
  }

  async leave(timeoutMs = 10_000): Promise<void> {
    await this.#until(timeoutMs, (deadline) => Promise.all(this.#hosts.map((host) => host.leave(deadline))));
  }

  stop(timeoutMs = 10_000): Promise<void> {
    return (this.#stopped ??= this.#stop(timeoutMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort();
    this.#router.stopRetrying();
    await this.#until(timeoutMs, async (deadline) => {
      await Promise.race([Promise.all([this.#projections.stop(), this.#subscriptions.stop(timeoutMs)]), deadline]);
      await Promise.all(this.#hosts.map((host) => host.stop(deadline)));
      await this.#projections.close();
    });
    this.#router.stop();
    await this.#transport?.close();
    this.#detach?.();
  }

  #link(): NodeLink | undefined {
    return this.#transport === undefined ? undefined : { transport: this.#transport, clock: this.#clock };
  }

  async #until(timeoutMs: number, run: (deadline: Promise<void>) => Promise<unknown>): Promise<void> {
    let cancel: () => void = () => undefined;
    const deadline = new Promise<void>((resolve) => {
      cancel = this.#clock.after(timeoutMs, resolve);
    });
    await run(deadline);
    cancel();
  }

  // --- NodeAnswers ---

  async take(storeKey: string, partitions: readonly number[]): Promise<void> {
    const host = this.#hosts.find(({ key }) => key === storeKey);
    if (host === undefined) throw new TroupeError("unavailable", `Cannot take partitions of the store "${storeKey}"`);
    await host.ownership.take(partitions);
  }

  subscriptions(): readonly SubscriptionStatus[] {
    return this.#subscriptions.status();
  }

  report(): readonly ReportedActors[] {
    return this.#hosts.flatMap((host) => host.reportActors());
  }
}

function groupByStore(options: TroupeOptions): Map<string, AnyActorType[]> {
  const groups = new Map<string, AnyActorType[]>();
  const seen = new Set<string>();
  for (const type of options.actors) {
    if (seen.has(type.type)) throw new TypeError(`Cannot register the actor type "${type.type}" twice`);
    seen.add(type.type);
    const storeKey = Object.hasOwn(options.stores, type.type) ? type.type : "default";
    if (!Object.hasOwn(options.stores, storeKey)) {
      throw new TypeError(
        `Cannot place the actor type "${type.type}": give "stores" an entry "${type.type}" or "default"`,
      );
    }
    // Two names may stand for one store: its actors share partitions, lanes and relays.
    const name =
      Object.keys(options.stores).find((key) => options.stores[key] === options.stores[storeKey]) ?? storeKey;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [type]);
    else group.push(type);
  }
  return groups;
}

function watchEnvelope(type: string, key: string, seen: Seen | undefined): Envelope {
  return {
    type,
    key,
    message: "watch",
    input: undefined,
    id: undefined,
    origin: { kind: "watch", seen },
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs: POLL_MS + POLL_GRACE_MS,
  };
}
