/**
 * One node: knows which store an actor type lives in, and where a call has to go.
 *
 * Owns: routing and the caller's side of a call (deadline, retry of what certainly did not happen). Does not own:
 * anything about the actor itself, that is the store host's.
 *
 * N1 a call is retried by itself only where that is harmless: nothing was written (`fenced`, `unavailable`), or it is a
 *    query, or it carries an id.
 */
import type { ActorRef, ActorTell, CallOptions } from "./actor-ref.ts";
import { partitionOf } from "./address.ts";
import type { AnyActorType, AnyMessageDefinition, StateOutput } from "./any-actor.ts";
import { backoffMs } from "./backoff.ts";
import { Cancellation, untilAborted } from "./cancellation.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { ClusterReport, ReportedActors } from "./cluster-report.ts";
import { controlEnvelope } from "./control-handler.ts";
import { isControlEnvelope } from "./controls.ts";
import { type DeadLetters, StoredDeadLetters } from "./dead-letters.ts";
import { Deadlines } from "./deadlines.ts";
import { durationMs } from "./duration.ts";
import type { Envelope, Origin, Seen } from "./envelope.ts";
import { TroupeError } from "./errors.ts";
import type { IndexFilter } from "./index-filter.ts";
import type { ActorInspection } from "./inspection.ts";
import { type JournalEntry, type JournalPage, mustKeepJournal, readEntries, upToDate } from "./journal-read.ts";
import { REBUILD, type Rebuilt } from "./journal-rebuild.ts";
import { MAX_ACTIVE_ACTORS, MAX_REASON_LENGTH } from "./limits.ts";
import { silentLog } from "./log.ts";
import { makeRef } from "./make-ref.ts";
import { answerNode, askNode, NODE_TYPE, type NodeAnswers, type NodeLink } from "./node-messages.ts";
import { asJson, type CallerSide, cancelledError, PendingCall } from "./pending-call.ts";
import type { ProjectionBuild } from "./ports/read-database.ts";
import type { Sink } from "./ports/sink.ts";
import type { Topics } from "./ports/topics.ts";
import type { Transport, WireReply } from "./ports/transport.ts";
import { Projections } from "./projections.ts";
import { type Randomness, systemRandomness } from "./randomness.ts";
import { reportCluster } from "./report-cluster.ts";
import { Residents } from "./residents.ts";
import { sendSink } from "./send-sink.ts";
import { type NodeServices, StoreHost } from "./store-host.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Told } from "./told.ts";
import type { ActorSummary, Troupe, TroupeOptions, TroupeStatus } from "./troupe.ts";
import { checkKey, checkMessageId } from "./validate.ts";
import { watchActor, type WatchedState } from "./watch.ts";
import { POLL_MS } from "./watchers.ts";
import { findWhere, limitOf, toSummary } from "./where.ts";
import { fromWireError, toWireError } from "./wire.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
const OFFER_TIMEOUT_MS = 2_000;
const RETRIED: ReadonlySet<string> = new Set(["fenced", "unavailable", "stopping"]);
/** A poll's answer may be on its way for this long. */
const POLL_GRACE_MS = 5_000;
const CALL: Origin = { kind: "call" };
const NO_CALLERS: readonly string[] = [];

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
  readonly #types = new Map<string, { readonly type: AnyActorType; readonly host: StoreHost }>();
  readonly #hosts: StoreHost[] = [];
  readonly #projections: Projections;
  readonly #subscriptions: Subscriptions;
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #transport: Transport | undefined;
  readonly #topics: Topics | undefined;
  readonly #deadlines: Deadlines;
  readonly deadLetters: DeadLetters;
  readonly #residents: Residents;
  /** Calls of other nodes being served here that may be taken back, by ticket. */
  readonly #tickets = new Map<string, Cancellation>();
  /** Aborted when the node stops: for what would wait on another node. */
  readonly #stopping = new AbortController();
  /** Of calls that took the short way. */
  readonly #caller: CallerSide<unknown> = {
    read: parsed,
    again: ({ envelope, deadline }, error) =>
      mayRetry(error) && this.#stopped === undefined
        ? this.#route(envelope, undefined, deadline).then(parsed)
        : undefined,
  };
  readonly #tellFailed: (envelope: Envelope, error: unknown) => void;
  #stopped: Promise<void> | undefined;

  constructor(options: TroupeOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#randomness = options.randomness ?? systemRandomness;
    this.nodeId = options.nodeId ?? `node_${this.#randomness.uuid(this.#clock.now())}`;
    this.#transport = options.transport;
    this.#topics = options.topics;
    this.#deadlines = new Deadlines(this.#clock);
    const log = options.log ?? silentLog;
    this.#tellFailed = ({ type, key, message }, error) =>
      log("warn", "tell:failed", { actor: `${type}/${key}`, message, error: String(error) });
    const link = this.#link();
    this.#residents = new Residents(options.maxActiveActors ?? MAX_ACTIVE_ACTORS, this.#clock);
    const services: NodeServices = {
      nodeId: this.nodeId,
      clock: this.#clock,
      randomness: this.#randomness,
      probe: options.probe,
      log: options.log ?? silentLog,
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
      ref: (type, key, from, deadline) =>
        makeRef(type, (message, input, call) => this.#callFrom(from, deadline, type, key, message, input, call)),
    };
    this.#projections = new Projections(options.projections ?? [], {
      nodeId: this.nodeId,
      clock: this.#clock,
      log: services.log,
      now: () => this.#clock.now(),
      history: (type, positions, limit) => this.#hostOf(type).store.readHistory(type, positions, limit),
      bury: (type, letter) => this.#hostOf(type).store.recordDeadLetters([letter]),
    });
    this.deadLetters = new StoredDeadLetters({
      clock: this.#clock,
      stores: () => this.#hosts.map((host) => host.store),
      route: (envelope) => this.#route(envelope),
    });
    const sinks: Sink[] = [
      ...(options.sinks ?? []),
      ...(options.topics === undefined ? [] : [options.topics.sink]),
      ...this.#projections.sinks,
      sendSink({
        route: (envelope) => this.#route(envelope),
        typeOf: (type) => this.#types.get(type)?.type,
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
      for (const type of types) this.#types.set(type.type, { type, host });
    }
    this.#projections.checkSources((name) => this.#types.get(name)?.type);
    this.#subscriptions = new Subscriptions(options.actors, options.sources ?? {}, {
      clock: this.#clock,
      log: services.log,
      randomness: this.#randomness,
      route: (envelope) => this.#route(envelope),
      pause: (actor, reason) => this.pause(actor.type, actor.key, reason),
      bury: (type, letter) => this.#hostOf(type).store.recordDeadLetters([letter]),
      holds: (type, partition) => {
        const { ownership } = this.#hostOf(type);
        return ownership.partition(partition) !== undefined && ownership.holdsLease();
      },
    });
  }

  async start(): Promise<void> {
    await this.#transport?.serve(this.nodeId, (envelope) => this.#serve(envelope));
    await this.#projections.open();
    await Promise.all(this.#hosts.map((host) => host.start()));
    this.#projections.start();
    this.#subscriptions.start();
  }

  ref<A extends AnyActorType>(type: A, key: string): ActorRef<A> {
    return makeRef(type, (message, input, options) => this.call(type.type, key, message, input, options));
  }

  tell<A extends AnyActorType>(type: A, key: string): ActorTell<A> {
    return makeRef<A, ActorTell<A>>(type, (message, input) => this.#tell(type.type, key, message, input));
  }

  call(type: string, key: string, message: string, input: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#start(type, key, message, input, options, NO_CALLERS);
  }

  async list<A extends AnyActorType>(
    type: A,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const rows = await this.#hostOf(type.type).store.list(type.type, { limit: limitOf(page), after: page.after });
    const committed =
      type.options.journal === undefined ? rows : await upToDate(this.#hostOf(type.type).store, type, rows);
    return committed.map((row) => toSummary(type, row)) as ActorSummary<StateOutput<A>>[];
  }

  async where<A extends AnyActorType>(
    type: A,
    filter: IndexFilter<A>,
    page: { limit?: number; after?: string } = {},
  ): Promise<readonly ActorSummary<StateOutput<A>>[]> {
    const found = await findWhere(this.#hostOf(type.type).store, type, filter, page);
    return found as ActorSummary<StateOutput<A>>[];
  }

  async journal(type: AnyActorType, key: string, page: JournalPage = {}): Promise<readonly JournalEntry[]> {
    return readEntries(this.#hostOf(type.type).store, type, key, page);
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
      poll: (seen) => this.#poll(type.type, key, seen, ended),
      initial: () => type.options.initial(key) as StateOutput<A>,
    });
  }

  async pause(type: string, key: string, reason: string): Promise<void> {
    await this.#route(
      controlEnvelope({ type, key }, "$pause", reason.replaceAll("\u0000", "").slice(0, MAX_REASON_LENGTH)),
    );
  }

  async resume(type: string, key: string): Promise<void> {
    await this.#route(controlEnvelope({ type, key }, "$resume", undefined));
  }

  async reload(type: string, key: string): Promise<void> {
    await this.#route(controlEnvelope({ type, key }, "$reload", undefined));
  }

  async inspect(type: string, key: string): Promise<ActorInspection> {
    const body = await this.#route(controlEnvelope({ type, key }, "$inspect", undefined));
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
      stores: this.#hosts.map((host) => ({
        name: host.store.name,
        ownedPartitions: host.ownership.held().length,
        movingPartitions: host.ownership.movingCount,
        activeActors: host.activeActors,
        leaseAgeMs: host.ownership.leaseAgeMs(),
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
    return reportCluster(this.nodeId, this.#hosts, this.#link(), timeoutMs);
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
    await this.#until(timeoutMs, async (deadline) => {
      await Promise.race([Promise.all([this.#projections.stop(), this.#subscriptions.stop(timeoutMs)]), deadline]);
      await Promise.all(this.#hosts.map((host) => host.stop(deadline)));
      await this.#projections.close();
    });
    this.#deadlines.stop();
    await this.#transport?.close();
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

  /** A call made inside a turn: it carries the addresses that wait for it, and the trace. */
  #callFrom(
    from: Envelope,
    deadline: number | undefined,
    type: AnyActorType,
    key: string,
    message: string,
    input: unknown,
    options: CallOptions = {},
  ): Promise<unknown> {
    const callers = [...from.callers, `${from.type}/${from.key}`];
    const traced =
      options.traceparent === undefined && from.traceparent !== undefined
        ? { ...options, traceparent: from.traceparent }
        : options;
    return this.#start(type.type, key, message, input, traced, callers, deadline);
  }

  #start(
    type: string,
    key: string,
    message: string,
    input: unknown,
    options: CallOptions,
    callers: readonly string[],
    deadline?: number,
  ): Promise<unknown> {
    let timeoutMs = options.timeout === undefined ? DEFAULT_TIMEOUT_MS : durationMs(options.timeout);
    if (deadline !== undefined) {
      timeoutMs = Math.min(timeoutMs, deadline - this.#clock.monotonic());
      if (timeoutMs <= 0) {
        const text = `Cannot call ${type}/${key} as the caller of this turn waits no longer`;
        return Promise.reject(new TroupeError("deadline_exceeded", text));
      }
    }
    const { id, traceparent, signal } = options;
    const envelope: Envelope = {
      type,
      key,
      message,
      input,
      id,
      origin: CALL,
      attempt: 1,
      traceparent,
      callers,
      timeoutMs,
    };
    if (signal !== undefined) return this.#routeUntil(signal, envelope).then(parsed);
    return this.#shortWay(envelope) ?? this.#route(envelope).then(parsed);
  }

  /**
   * The common case, an actor that is in memory here: what was looked up and checked when it came there is not looked up
   * again. `undefined`: the long way has to be taken. Should the short one fail, the long way goes on where that is
   * harmless (N1).
   */
  #shortWay(envelope: Envelope): Promise<unknown> | undefined {
    const host = this.#types.get(envelope.type)?.host;
    const resident = host?.resident(envelope);
    if (host === undefined || resident === undefined) return undefined;
    const now = this.#clock.monotonic();
    if (!host.ownership.holdsLease(now)) return undefined;
    try {
      checkCall(envelope, resident.definition);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const call = new PendingCall(envelope, now + envelope.timeoutMs, now, this.#deadlines, host, this.#caller);
    host.deliverTo(resident.activation, call, resident.definition, now);
    return call.promise;
  }

  #tell(type: string, key: string, message: string, input: unknown): void {
    const envelope = envelopeOf(type, key, message, input);
    const host = this.#types.get(type)?.host;
    const resident = host?.resident(envelope);
    const now = this.#clock.monotonic();
    if (host !== undefined && resident !== undefined && host.ownership.holdsLease(now)) {
      host.deliverTo(resident.activation, new Told(envelope, this.#tellFailed), resident.definition, now);
    } else {
      this.#route(envelope).catch((error: unknown) => this.#tellFailed(envelope, error));
    }
  }

  /** As `#route`, until `signal` is aborted. */
  #routeUntil(signal: AbortSignal, envelope: Envelope): Promise<string | undefined> {
    const error = (): TroupeError => cancelledError(envelope.message, `${envelope.type}/${envelope.key}`);
    return untilAborted(signal, error, (cancellation) => this.#route(envelope, cancellation));
  }

  #poll(type: string, key: string, seen: Seen | undefined, signal: AbortSignal): Promise<string | undefined> {
    return this.#routeUntil(signal, {
      type,
      key,
      message: "watch",
      input: undefined,
      id: undefined,
      origin: { kind: "watch", seen },
      attempt: 1,
      traceparent: undefined,
      callers: NO_CALLERS,
      timeoutMs: POLL_MS + POLL_GRACE_MS,
    });
  }

  /** Takes a message to its actor, wherever that is, and brings back the reply as JSON. */
  async #route(
    envelope: Envelope,
    cancellation?: Cancellation,
    deadline = this.#clock.monotonic() + envelope.timeoutMs,
  ): Promise<string | undefined> {
    const host = this.#check(envelope);
    const partition = partitionOf(envelope.type, envelope.key);
    for (let attempt = 1; ; attempt++) {
      try {
        if (host.ownership.partition(partition) !== undefined && host.ownership.holdsLease()) {
          return await this.#local(host, envelope, deadline, cancellation);
        }
        const remaining = { ...envelope, timeoutMs: deadline - this.#clock.monotonic() };
        return await this.#remote(host.ownership.ownerOf(partition), remaining, cancellation);
      } catch (error) {
        if (!mayRetry(error)) throw error;
        if (await this.#arrival(host, partition, deadline)) continue;
        const pauseMs = backoffMs(attempt, this.#randomness, 10, 250);
        if (this.#stopped !== undefined || this.#clock.monotonic() + pauseMs >= deadline) throw error;
        await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve, true));
        if (cancellation?.cancelled) throw error;
        // An actor that is held here and could not be used has nothing to do with leases.
        if (host.ownership.partition(partition) === undefined || !host.ownership.holdsLease())
          await host.ownership.refresh();
      }
    }
  }

  #local(
    host: StoreHost,
    envelope: Envelope,
    deadline: number,
    cancellation?: Cancellation,
  ): Promise<string | undefined> {
    const call = new PendingCall(envelope, deadline, this.#clock.monotonic(), this.#deadlines, host, asJson);
    if (envelope.origin.kind === "watch") host.watch(call, envelope.origin.seen);
    else host.deliver(call);
    cancellation?.heldBy(() => call.cancel());
    return call.promise;
  }

  async #remote(
    owner: string | undefined,
    envelope: Envelope,
    cancellation?: Cancellation,
  ): Promise<string | undefined> {
    const address = `${envelope.type}/${envelope.key}`;
    if (owner === undefined || owner === this.nodeId) {
      throw new TroupeError("unavailable", `Cannot reach ${address} as no node holds its partition right now`);
    }
    if (this.#transport === undefined) {
      throw new TroupeError(
        "unavailable",
        `Cannot reach ${address} as the node ${owner} holds it and this node has no transport`,
      );
    }
    const call =
      cancellation === undefined ? envelope : this.#cancellable(this.#transport, owner, envelope, cancellation);
    const reply = await this.#callUnlessGone(this.#transport, owner, call);
    if (reply.kind === "error") throw fromWireError(reply.error, envelope);
    return reply.body;
  }

  /** A call to another node that can be taken back there. */
  #cancellable(transport: Transport, owner: string, envelope: Envelope, cancellation: Cancellation): Envelope {
    const ticket = `call_${this.#randomness.uuid(this.#clock.now())}`;
    cancellation.heldBy(() => {
      const taken: Envelope = { ...envelope, input: undefined, id: undefined, origin: { kind: "cancel", ticket } };
      // Its caller has its answer. If word does not get there, the deadline does what it can.
      transport.call(owner, taken).catch(() => undefined);
    });
    return { ...envelope, ticket };
  }

  /** A node that died leaves its callers without an answer: they need not wait longer than its lease. */
  #callUnlessGone(transport: Transport, owner: string, envelope: Envelope): Promise<WireReply> {
    const { type, key, message, id } = envelope;
    const { ownership } = this.#hostOf(type);
    return new Promise((resolve, reject) => {
      const unwatch = ownership.watch(owner, () => {
        const definition = this.#types.get(type)?.type.messages[message];
        // Handled or not, a query and a message with an id may be asked again (N1); any other only by its caller.
        const harmless = id !== undefined || definition?.kind === "query" || envelope.origin.kind === "watch";
        const text = `Cannot get a reply to ${message} from ${type}/${key} as the node ${owner} went away`;
        reject(new TroupeError(harmless ? "unavailable" : "deadline_exceeded", text));
      });
      transport.call(owner, envelope).then(
        (reply) => {
          unwatch();
          resolve(reply);
        },
        (error: unknown) => {
          unwatch();
          reject(error as Error);
        },
      );
    });
  }

  /** Waits while a partition is being handed over: whether it was, and there is a next owner to try. */
  async #arrival(host: StoreHost, partition: number, deadline: number): Promise<boolean> {
    const moving = host.ownership.moving(partition);
    if (moving === undefined) return false;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = this.#clock.after(Math.max(0, deadline - this.#clock.monotonic()), resolve);
    });
    await Promise.race([moving, late]);
    cancel();
    return this.#clock.monotonic() < deadline;
  }

  /** A call from another node. It is answered here or refused: it never travels on. */
  async #serve(envelope: Envelope): Promise<WireReply> {
    if (envelope.origin.kind === "cancel") {
      this.#tickets.get(envelope.origin.ticket)?.cancel();
      return { kind: "reply", body: undefined };
    }
    const { ticket } = envelope;
    if (ticket === undefined) return this.#answer(envelope);
    const cancellation = new Cancellation();
    this.#tickets.set(ticket, cancellation);
    const reply = await this.#answer(envelope, cancellation);
    this.#tickets.delete(ticket);
    return reply;
  }

  /** Never rejects. */
  async #answer(envelope: Envelope, cancellation?: Cancellation): Promise<WireReply> {
    try {
      if (envelope.type === NODE_TYPE) return { kind: "reply", body: await answerNode(envelope, this) };
      const host = this.#check(envelope);
      const held = host.ownership.partition(partitionOf(envelope.type, envelope.key)) !== undefined;
      if (!held || !host.ownership.holdsLease()) {
        throw new TroupeError(
          "unavailable",
          `Cannot reach ${envelope.type}/${envelope.key} as its partition has moved`,
        );
      }
      const deadline = this.#clock.monotonic() + envelope.timeoutMs;
      return { kind: "reply", body: await this.#local(host, envelope, deadline, cancellation) };
    } catch (error) {
      // The sender looks for the next owner when it hears of it: it should find one.
      const host = this.#types.get(envelope.type)?.host;
      if (host !== undefined && mayRetry(error)) {
        const partition = partitionOf(envelope.type, envelope.key);
        await this.#arrival(host, partition, this.#clock.monotonic() + envelope.timeoutMs);
      }
      return { kind: "error", error: toWireError(error) };
    }
  }

  // --- NodeAnswers ---

  async take(storeKey: string, partitions: readonly number[]): Promise<void> {
    const host = this.#hosts.find(({ key }) => key === storeKey);
    if (host === undefined) throw new TroupeError("unavailable", `Cannot take partitions of the store "${storeKey}"`);
    await host.ownership.take(partitions);
  }

  report(): readonly ReportedActors[] {
    return this.#hosts.flatMap((host) => host.reportActors());
  }

  #check(envelope: Envelope): StoreHost {
    const entry = this.#types.get(envelope.type);
    if (entry === undefined) throw new TroupeError("unknown_actor", `Cannot find the actor type "${envelope.type}"`);
    const known = Object.hasOwn(entry.type.messages, envelope.message);
    if (!known && !isControlEnvelope(envelope) && envelope.origin.kind !== "watch") {
      throw new TroupeError("unknown_message", `Cannot find the message "${envelope.message}" of ${envelope.type}`);
    }
    checkKey(entry.type.options.key, envelope.type, envelope.key);
    checkCall(envelope, entry.type.messages[envelope.message]);
    return entry.host;
  }

  #hostOf(type: string): StoreHost {
    const entry = this.#types.get(type);
    if (entry === undefined) throw new TroupeError("unknown_actor", `Cannot find the actor type "${type}"`);
    return entry.host;
  }
}

/** The envelope of a message that nobody waits for. */
function envelopeOf(type: string, key: string, message: string, input: unknown): Envelope {
  return {
    type,
    key,
    message,
    input,
    id: undefined,
    origin: CALL,
    attempt: 1,
    traceparent: undefined,
    callers: NO_CALLERS,
    timeoutMs: DEFAULT_TIMEOUT_MS,
  };
}

function parsed(body: string | undefined): unknown {
  return body === undefined ? undefined : JSON.parse(body);
}

/** @throws {InvalidInputError} the id is no message id. @throws {TroupeError} `call_cycle`. */
function checkCall({ type, key, id, callers }: Envelope, definition: AnyMessageDefinition | undefined): void {
  if (id !== undefined) checkMessageId(id);
  // A query runs beside the turn that asks, so it cannot wait for it; a command would wait for ever.
  if (callers.length === 0 || definition?.kind !== "command") return;
  const address = `${type}/${key}`;
  if (!callers.includes(address)) return;
  throw new TroupeError(
    "call_cycle",
    `Cannot call ${address} as it waits for this very call: ${[...callers, address].join(" → ")}`,
  );
}

function mayRetry(error: unknown): boolean {
  // N1. `stopping` is another node's: this one gives up by itself once it stops.
  return error instanceof TroupeError && RETRIED.has(error.code);
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
