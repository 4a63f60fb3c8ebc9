/** Makes the parts of a node, in an order in which each gets what it needs, and starts them. */
import { ActorLru } from "../activation/lru.ts";
import type { AnyActorType, AnyWorkerType } from "../actor/any-actor.ts";
import { withCheckedReplies } from "../actor/checked-replies.ts";
import { makeRef } from "../actor/ref.ts";
import { systemClock } from "../base/clock.ts";
import { MAX_ACTIVE_ACTORS } from "../base/limits.ts";
import { silentLog } from "../base/log.ts";
import { systemRandomness } from "../base/randomness.ts";
import { ActorControls } from "../calls/actor-controls.ts";
import { ActorRegistry } from "../calls/actor-registry.ts";
import { CrossingAsks } from "../calls/crossing-asks.ts";
import { askNode, type NodeLink } from "../calls/node-messages.ts";
import { Router } from "../calls/router.ts";
import type { DeadLetters } from "../dead-letters/dead-letters.ts";
import { StoredDeadLetters } from "../dead-letters/stored-dead-letters.ts";
import type { NodeServices } from "../host/node-services.ts";
import { StoreHost } from "../host/store-host.ts";
import type { Sink } from "../ports/sink.ts";
import { Projections } from "../projections/projections.ts";
import { sendSink } from "../relay/send-sink.ts";
import { Subscriptions } from "../subscriptions/subscriptions.ts";
import { NodeMetrics } from "../telemetry/node-metrics.ts";
import { NodeSpans } from "../telemetry/node-spans.ts";
import { type WorkerNode, Workers } from "../workers/workers.ts";
import { Node, type NodeParts } from "./node.ts";
import type { Troupe, TroupeOptions } from "./troupe.ts";

const OFFER_TIMEOUT_MS = 2_000;

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
  const { checkReplies = false, actors, workers = [] } = options;
  const node = new Node(
    partsOf(
      checkReplies
        ? { ...options, actors: actors.map(withCheckedReplies), workers: workers.map(withCheckedReplies) }
        : options,
    ),
  );
  try {
    await node.start();
  } catch (error) {
    // What had started must not go on without anybody who could stop it.
    await node.stop(0).catch(() => undefined);
    throw error;
  }
  return node;
}

function partsOf(options: TroupeOptions): NodeParts {
  const clock = options.clock ?? systemClock;
  const randomness = options.randomness ?? systemRandomness;
  const nodeId = options.nodeId ?? `node_${randomness.uuid(clock.now())}`;
  const { transport, topics } = options;
  const workerTypes = workersOf(options);
  const types = new ActorRegistry(workerTypes.map(({ type }) => type));
  const hosts: StoreHost[] = [];
  const log = options.log ?? silentLog;
  const spans = options.tracing === undefined ? undefined : new NodeSpans(options.tracing);
  const metrics: NodeMetrics | undefined =
    options.metrics === undefined
      ? undefined
      : new NodeMetrics(
          () => hosts,
          () => subscriptions.status(),
          () => workers?.report() ?? [],
        );
  const ref: NodeServices["ref"] = (type, key, from, deadline, asks) =>
    makeRef(type, (message, input, call) => router.callFrom(from, deadline, type, key, message, input, asks, call));
  const others = (type: string): WorkerNode[] => nodesWith(hosts, type, nodeId);
  const workers: Workers | undefined =
    workerTypes.length === 0 ? undefined : new Workers(workerTypes, { clock, log, metrics, spans, ref, others });
  const router = new Router({ nodeId, clock, randomness, transport, types, log, spans, workers });
  const link: NodeLink | undefined = transport === undefined ? undefined : { transport, clock };
  const crossings = new CrossingAsks(types, link, nodeId);
  const controls = new ActorControls(router);
  const residents = new ActorLru(options.maxActiveActors ?? MAX_ACTIVE_ACTORS, clock);
  const services: NodeServices = {
    nodeId,
    clock,
    randomness,
    probe: options.probe,
    log,
    leaseMs: options.leaseMs ?? 2_500,
    lanes: options.lanes ?? 2,
    retentionMs: options.retentionMs ?? 86_400_000,
    stores: () => hosts.map((host) => host.store),
    owns: options.owns ?? true,
    address: options.address ?? (() => undefined),
    contracts: options.contracts,
    workers: workers?.types ?? [],
    offer:
      link === undefined
        ? undefined
        : async (node, store, partitions) => {
            await askNode(link, node, "take", { store, input: partitions, timeoutMs: OFFER_TIMEOUT_MS });
          },
    residents,
    recentTurns: options.recentTurns ?? 0,
    metrics,
    spans,
    askedInTurn: (waitingFor, callers) => crossings.way(waitingFor, callers),
    ref,
  };
  const projections = new Projections(options.projections ?? [], {
    nodeId,
    clock,
    log: services.log,
    now: () => clock.now(),
    partitions: (type) => types.hostOf(type).store.partitions,
    history: (type, positions, limit) => types.hostOf(type).store.readHistory(type, positions, limit),
    recordDeadLetter: (type, letter) => types.hostOf(type).letters.record([letter]),
  });
  const deadLetters: DeadLetters = new StoredDeadLetters({
    clock,
    node: () => nodeId,
    stores: () => hosts.map((host) => host.store),
    recordDeadLetter: (type, letter) => types.hostOf(type).letters.record([letter]),
    route: (envelope) => router.route(envelope),
  });
  const sinks: Sink[] = [
    ...(options.sinks ?? []),
    ...(topics === undefined ? [] : [topics.sink]),
    ...projections.sinks,
    sendSink({
      route: (envelope) => router.route(envelope),
      typeOf: (type) => types.find(type),
      pause: (actor, reason) => controls.pause(actor, reason),
    }),
  ];
  for (const [storeKey, group] of groupByStore(options)) {
    const host = new StoreHost(
      storeKey,
      options.stores[storeKey] as (typeof options.stores)[string],
      group,
      sinks,
      services,
    );
    hosts.push(host);
    for (const type of group) types.add(type, host);
  }
  projections.checkSources((name) => types.find(name));
  const detachMetrics = metrics === undefined ? undefined : options.metrics?.attach(metrics);
  const subscriptions: Subscriptions = new Subscriptions(options.actors, options.sources ?? {}, {
    clock,
    log: services.log,
    randomness,
    spans,
    route: (envelope) => router.route(envelope),
    pause: (actor, reason) => controls.pause(actor, reason),
    recordDeadLetter: (type, letter) => types.hostOf(type).letters.record([letter]),
    holds: (type, key) => {
      const { partitions } = types.hostOf(type);
      return partitions.partition(partitions.of(type, key)) !== undefined && partitions.holdsLease();
    },
  });
  return {
    nodeId,
    clock,
    randomness,
    transport,
    topics,
    tracing: options.tracing,
    link,
    crossings,
    router,
    workers,
    types,
    hosts,
    residents,
    controls,
    projections,
    subscriptions,
    deadLetters,
    answers: options.answers ?? {},
    detachMetrics,
  };
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

/** @throws {TypeError} when a worker has the name of an actor type, or of another one. */
function workersOf({ actors, workers = [] }: TroupeOptions): readonly AnyWorkerType[] {
  const names = actors.map(({ type }) => type);
  for (const { type } of workers) {
    if (names.includes(type))
      throw new TypeError(`Cannot register the stateless worker "${type}" as the name is taken`);
    names.push(type);
  }
  return workers;
}

/** The other nodes that have a worker, as far as the stores here know. */
function nodesWith(hosts: readonly StoreHost[], worker: string, self: string): WorkerNode[] {
  const found = new Map<string, WorkerNode>();
  for (const { partitions, ownership } of hosts) {
    for (const { id, info } of partitions.nodes()) {
      if (id !== self && info?.workers?.includes(worker) === true) found.set(id, { node: id, ownership });
    }
  }
  return [...found.values()];
}
