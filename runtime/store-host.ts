/**
 * Everything one node does with one store: partitions, actors in memory, commit lanes, timers, relays.
 *
 * Owns: the actors in memory, and the way a message takes to one of them. Does not own: leases (`Ownership`), the order
 * of commits (`CommitLane`), firing (`TimerService`), relaying (`Relay`).
 */
import type { ActivationHost, Delivery } from "./activation-host.ts";
import { Activation } from "./activation.ts";
import type { ActorRef } from "./actor-ref.ts";
import { ActorTable } from "./actor-table.ts";
import { PARTITION_COUNT, partitionOf } from "./address.ts";
import type { AnyActorType, AnyMessageDefinition } from "./any-actor.ts";
import { backoffMs } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import type { ReportedActors } from "./cluster-report.ts";
import { CommitLane, type LaneHost } from "./commit-lane.ts";
import type { ContractCheck } from "./contract-check.ts";
import { controlEnvelope, type ControlHost, ControlHandler } from "./control-handler.ts";
import { isControlEnvelope, messageOf } from "./controls.ts";
import { durationMs } from "./duration.ts";
import type { Envelope, Seen } from "./envelope.ts";
import { TroupeError } from "./errors.ts";
import { whenIdleNow } from "./event-loop.ts";
import { FinishedTurn, type TurnOwner, type Waiter } from "./finished-turn.ts";
import { HeldActors, type HeldActorsHost } from "./held-actors.ts";
import { IndexFiller } from "./index-filler.ts";
import { RecentTurns } from "./inspection.ts";
import { loadActors } from "./journal.ts";
import type { LeaveReason } from "./life.ts";
import { DEFAULT_IDLE } from "./limits.ts";
import { Loader } from "./loader.ts";
import type { Log } from "./log.ts";
import { Ownership, type OwnershipHost } from "./ownership.ts";
import type { Partition } from "./partition.ts";
import type { CallTaker } from "./pending-call.ts";
import type { Sink } from "./ports/sink.ts";
import type {
  ActorId,
  CommitBatch,
  Grant,
  JournalRecord,
  LoadedActor,
  NodeCard,
  NodeId,
  PauseWrite,
  Store,
  StoredReply,
  TimerRow,
} from "./ports/store.ts";
import type { Probe } from "./probe.ts";
import type { Randomness } from "./randomness.ts";
import { Relay, type RelayHost } from "./relay.ts";
import type { Residents } from "./residents.ts";
import { readState } from "./state-version.ts";
import { fireTimer, afterTimerFailure } from "./timer-delivery.ts";
import { TimerService } from "./timers.ts";
import { Turn } from "./turn.ts";
import { type Sight, Watchers, type WatchersHost } from "./watchers.ts";

/** An actor in memory, and the definition of a message to it. */
export interface Resident {
  readonly activation: Activation;
  readonly definition: AnyMessageDefinition;
}

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
  ref<A extends AnyActorType>(type: A, key: string, from: Envelope, deadline: number | undefined): ActorRef<A>;
}

const CURSOR_SAVE_MS = 250;
const JANITOR_MS = 60_000;
const SWEEP_MS = 1_000;
/** How often it is looked whether turns have ended, and how long what is on its way to a broker is waited for. */
const ENDED_POLL_MS = 2;
const DETACH_MS = 100;

export class StoreHost
  implements ActivationHost, CallTaker, ControlHost, HeldActorsHost, LaneHost, OwnershipHost, RelayHost, WatchersHost
{
  readonly store: Store;
  /** The store's name among those of the node: the same on every node of a cluster. */
  readonly key: string;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly idle: () => Promise<void>;
  readonly leaseMs: number;
  readonly ownership: Ownership;
  readonly relays: readonly Relay[];
  readonly #node: NodeServices;
  readonly #types = new Map<string, AnyActorType>();
  readonly #actors = new ActorTable();
  readonly #lanes: readonly CommitLane[];
  readonly #loader: Loader;
  readonly #timers: TimerService;
  /** Partitions in which no further turn begins. */
  readonly #closing = new Set<number>();
  readonly #watchers = new Watchers(this);
  /** What is left of actors that have left memory, by address: their `onPassivate`. */
  readonly #leaving = new Map<string, Promise<void>>();
  readonly #shortestIdleMs: number;
  readonly #index: IndexFiller;
  readonly #held: HeldActors;
  readonly #recent: RecentTurns | undefined;
  readonly #controls: ControlHandler;
  #cancels = new Set<() => void>();
  #stopping = false;

  constructor(key: string, store: Store, types: readonly AnyActorType[], sinks: readonly Sink[], node: NodeServices) {
    this.key = key;
    this.store = store;
    this.nodeId = node.nodeId;
    this.clock = node.clock;
    this.randomness = node.randomness;
    this.idle = node.clock.idle?.bind(node.clock) ?? whenIdleNow;
    this.leaseMs = node.leaseMs;
    this.#node = node;
    for (const type of types) this.#types.set(type.type, type);
    this.#shortestIdleMs = Math.min(...types.map(({ options }) => durationMs(options.idle ?? DEFAULT_IDLE)));
    this.#lanes = Array.from({ length: node.lanes }, () => new CommitLane(this));
    this.#held = new HeldActors(this);
    this.#recent = node.recentTurns > 0 ? new RecentTurns(node.recentTurns, () => node.clock.now()) : undefined;
    this.#controls = new ControlHandler(this, this.#held, this.#recent);
    const journaled = types.some((type) => type.options.journal !== undefined);
    this.#loader = new Loader((actors) =>
      journaled ? loadActors(store, (type) => this.#types.get(type), actors) : store.load(actors),
    );
    this.ownership = new Ownership(this);
    this.relays = sinks.map((sink) => new Relay(sink, this));
    this.#timers = new TimerService({
      clock: node.clock,
      randomness: node.randomness,
      read: (partitions, before, limit) => store.timers(partitions, before, limit),
      owned: () => this.ownership.held(),
      holds: (partition) => this.ownership.partition(partition) !== undefined,
      fire: (timer, attempt, skip) => fireTimer(this, timer, attempt, skip),
      afterFailure: (timer, attempt, error) =>
        afterTimerFailure(this, this.#types.get(timer.type), timer, attempt, error),
      failed: (error) => this.failed("reading timers", error),
    });
    this.#index = new IndexFiller(types, this);
  }

  get activeActors(): number {
    return this.#actors.size;
  }

  /** What is in memory, by type. */
  reportActors(): ReportedActors[] {
    const counts = new Map([...this.#types.keys()].map((type) => [type, { inMemory: 0, waiting: 0 }]));
    for (const { id, depth } of this.#actors.values()) {
      const count = counts.get(id.type);
      if (count === undefined) continue;
      count.inMemory++;
      count.waiting += depth;
    }
    return [...counts].map(([type, count]) => ({ type, ...count }));
  }

  async start(): Promise<void> {
    await this.store.open();
    await this.ownership.start();
    this.#every(CURSOR_SAVE_MS, () => this.#saveCursors());
    this.#every(SWEEP_MS, async () => this.#node.residents.sweep(this.#shortestIdleMs));
    this.#every(JANITOR_MS, () => this.#prune());
  }

  /** Hands a message to its actor here. The caller has made sure that this node holds the partition. */
  deliver(delivery: Delivery): void {
    const { type: typeName, key, message } = delivery.envelope;
    const type = this.#types.get(typeName) as AnyActorType;
    const definition = messageOf(type, message);
    if (this.#stopping) {
      delivery.fail(
        new TroupeError("stopping", `Cannot take ${message} for ${typeName}/${key} as this node is shutting down`),
      );
      return;
    }
    if (this.#closing.size > 0 && this.#mustWait(delivery.envelope)) {
      delivery.fail(movingError());
      return;
    }
    if (definition === undefined) {
      if (isControlEnvelope(delivery.envelope)) this.#controls.handle(delivery);
      // A timer may outlive its message: it was set by an earlier version.
      else delivery.fail(new TroupeError("unknown_message", `Cannot find the message "${message}" of ${typeName}`));
      return;
    }
    if (this.#held.size !== 0 && this.#held.takes(delivery, definition)) return;
    let activation = this.#actors.get(typeName, key);
    if (activation === undefined) {
      activation = new Activation(type, { type: typeName, key }, partitionOf(typeName, key), this);
      this.#actors.add(activation);
      this.#node.residents.add(activation);
    } else {
      this.#node.residents.touch(activation);
    }
    activation.deliver(this.#recent === undefined ? delivery : this.#recent.watch(activation, delivery), definition);
    this.#node.probe?.delivered(delivery.envelope, activation.depth);
  }

  /** The actor a message is for, when it is in memory, with what the message is; nothing for a message it does not have. */
  resident({ type, key, message }: Envelope): Resident | undefined {
    const activation = this.#actors.get(type, key);
    if (activation === undefined || !Object.hasOwn(activation.type.messages, message)) return undefined;
    return { activation, definition: activation.type.messages[message] as AnyMessageDefinition };
  }

  /** As `deliver`, to an actor that was found in memory in this very step. */
  deliverTo(activation: Activation, delivery: Delivery, definition: AnyMessageDefinition, now: number): void {
    if (this.#stopping || this.#closing.size > 0 || this.#held.size > 0 || this.#recent !== undefined) {
      this.deliver(delivery);
      return;
    }
    this.#node.residents.touch(activation, now);
    activation.deliver(delivery, definition);
    this.#node.probe?.delivered(delivery.envelope, activation.depth);
  }

  /** Pauses an actor of this node. Resolves when that is durable. */
  pause({ type, key }: ActorId, reason: string): Promise<void> {
    return this.#held.pause({ type, key, partition: partitionOf(type, key) }, reason);
  }

  /** Answers a watcher of an actor here, as {@link Watchers.poll} does. */
  watch(call: Delivery, seen: Seen | undefined): void {
    const { type, key } = call.envelope;
    if (this.#stopping)
      call.fail(new TroupeError("stopping", `Cannot watch ${type}/${key} as this node is shutting down`));
    else this.#watchers.poll({ type, key }, partitionOf(type, key), call, seen);
  }

  abandon(call: Delivery, reason: TroupeError): void {
    if (call.envelope.origin.kind === "watch") this.#watchers.abandon(call, call.envelope);
    this.#actors.get(call.envelope.type, call.envelope.key)?.abandon(call.envelope, reason);
  }

  /** Ends turns, writes what is finished, saves cursors, gives the partitions back. */
  async stop(deadline: Promise<unknown>): Promise<void> {
    this.#stopping = true;
    this.#watchers.stop(new TroupeError("stopping", "Cannot watch the actor here as this node is shutting down"));
    this.#timers.stop();
    this.#index.stop();
    for (const cancel of this.#cancels) cancel();
    const drained = (async () => {
      await this.#quiet();
      // A sink that is down gets the rest from the next owner: no reason to hold up the stop.
      await Promise.all(this.relays.filter(({ failing }) => failing === undefined).map((relay) => relay.idle()));
    })();
    await Promise.race([drained, deadline]);
    for (const relay of this.relays) relay.stop();
    // Turns that are still running have had their time.
    const left = new TroupeError("stopping", "Cannot finish the message as this node is shutting down");
    for (const activation of this.#actors.values()) this.#discard(activation, left, "stop");
    await Promise.race([Promise.all(this.#leaving.values()), deadline]);
    await this.#saveCursors();
    await this.ownership.stop().catch((error: unknown) => this.failed("giving partitions back", error));
    await this.store.close();
  }

  // --- ActivationHost ---

  now(): number {
    return this.clock.now();
  }

  uuid(nowMs: number): string {
    return this.randomness.uuid(nowMs);
  }

  ref<A extends AnyActorType>(type: A, key: string, from: Envelope, deadline: number | undefined): ActorRef<A> {
    return this.#node.ref(type, key, from, deadline);
  }

  load(actor: ActorId): Promise<LoadedActor> {
    const leaving = this.#leaving.size > 0 ? this.#leaving.get(`${actor.type}/${actor.key}`) : undefined;
    return leaving === undefined ? this.#loader.load(actor) : leaving.then(() => this.#loader.load(actor));
  }

  async look(actor: ActorId): Promise<Sight> {
    const sight = await this.#actors.get(actor.type, actor.key)?.sight();
    if (sight !== undefined) return sight;
    const { state, version, schemaVersion } = await this.load(actor);
    const type = this.#types.get(actor.type) as AnyActorType;
    return { version, state: state === undefined ? undefined : readState(type, actor.key, state, schemaVersion) };
  }

  evict(actor: ActorId, reason: LeaveReason): void {
    const activation = this.forget(actor);
    if (activation !== undefined) this.#leaves(activation, activation.passivate(reason));
  }

  forget({ type, key }: ActorId): Activation | undefined {
    const activation = this.#actors.get(type, key);
    if (activation === undefined) return undefined;
    this.#actors.remove(activation);
    this.#node.residents.remove(activation);
    return activation;
  }

  readJournal(actor: ActorId, after: number, limit: number): Promise<readonly JournalRecord[]> {
    return this.store.readJournal([{ ...actor, after }], limit);
  }

  async readSnapshot(actor: ActorId): Promise<LoadedActor> {
    return (await this.store.load([actor]))[0] as LoadedActor;
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  findReply(actor: ActorId, id: string): Promise<StoredReply | undefined> {
    return this.store.findReply(actor, id);
  }

  submit(turn: FinishedTurn): void {
    this.#node.probe?.finished(turn);
    (this.#lanes[turn.activation.partition % this.#lanes.length] as CommitLane).add(turn);
  }

  timerIsCurrent(actor: ActorId, name: string, dueAt: number): boolean {
    return this.#timers.isCurrent(actor, name, dueAt);
  }

  async timersOf(actor: ActorId): Promise<readonly TimerRow[]> {
    // Taken before the read: what commits meanwhile is in both, what does not is in these alone.
    const writes = [...(this.#actors.get(actor.type, actor.key)?.timerWrites.values() ?? [])];
    const rows = new Map((await this.store.timersOf(actor)).map((row) => [row.name, row]));
    for (const write of writes) {
      if (write.dueAt === undefined) rows.delete(write.name);
      else rows.set(write.name, write);
    }
    return [...rows.values()];
  }

  ticksSkipped({ type, key, name, dueAt }: TimerRow, until: number): void {
    this.#node.log("error", "timer:overrun", { actor: `${type}/${key}`, timer: name, from: dueAt, until });
  }

  mayServe(): boolean {
    return this.ownership.holdsLease();
  }

  turnFailed({ type, key, message, attempt }: Envelope, error: unknown): void {
    this.#node.log("error", "turn:failed", { actor: `${type}/${key}`, message, attempt, error: describe(error) });
  }

  hookFailed(address: string, hook: "onActivate" | "onPassivate", error: unknown): void {
    const event = hook === "onActivate" ? "actor:activate:failed" : "actor:passivate:failed";
    this.#node.log("error", event, { actor: address, error: describe(error) });
  }

  // --- LaneHost ---

  partition(id: number): Partition | undefined {
    return this.ownership.partition(id);
  }

  commit(batch: CommitBatch): Promise<void> {
    return this.store.commit(this.nodeId, batch);
  }

  async settle(partitions: readonly Partition[]): Promise<readonly Grant[]> {
    const fences = partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
    for (let attempt = 1; ; attempt++) {
      try {
        const grants = await this.store.settle(this.nodeId, fences);
        this.ownership.renewEpochs(grants);
        return grants;
      } catch (error) {
        this.failed("settling a commit", error);
        if (this.#stopping && attempt > 3) return [];
        await new Promise<void>((resolve) => this.clock.after(backoffMs(attempt, this.randomness, 50, 2_000), resolve));
      }
    }
  }

  written(turns: readonly FinishedTurn[], batch: CommitBatch): void {
    this.#watchers.written(turns);
    this.#timers.written(batch.timers);
    for (const relay of this.relays) relay.offer(batch.outbox, batch.fences);
  }

  giveUp(partitions: readonly Partition[]): void {
    this.ownership.giveUp(partitions);
  }

  commitFailed(error: unknown, turns: number): void {
    this.#node.log("warn", "commit:failed", { store: this.store.name, turns, error: describe(error) });
  }

  // --- OwnershipHost ---

  nodesChanged(nodes: readonly NodeId[]): void {
    this.#node.log("info", "cluster:changed", { store: this.store.name, nodes: nodes.length });
  }

  failed(what: string, error: unknown): void {
    this.#node.log("warn", "store:failed", { store: this.store.name, what, error: describe(error) });
  }

  async prepare(partitions: readonly Partition[]): Promise<() => void> {
    const ids = partitions.map((partition) => partition.id);
    const [cursors, timers, paused, fillIndex] = await Promise.all([
      this.store.cursors(ids),
      this.#timers.read(ids),
      this.store.paused(ids),
      this.#index.prepare(partitions),
    ]);
    const saved = new Map(cursors.map(({ sink, partition, seq }) => [`${sink}/${partition}`, seq]));
    return () => {
      // An actor never outlives the ownership it was loaded under: another node may have written since.
      this.#forget(new Set(ids));
      for (const relay of this.relays) for (const id of ids) relay.open(id, saved.get(`${relay.sink.name}/${id}`) ?? 0);
      this.#held.load(paused);
      this.#timers.load(timers);
      fillIndex();
      this.#node.log("debug", "partition:acquired", {
        store: this.store.name,
        count: ids.length,
        held: this.ownership.held().length,
      });
    };
  }

  dropped(partitions: readonly Partition[]): void {
    const ids = new Set(partitions.map((partition) => partition.id));
    for (const id of ids) this.#closing.delete(id);
    for (const relay of this.relays) for (const id of ids) relay.close(id);
    this.#forget(ids);
    this.#node.log("warn", "partition:lost", { store: this.store.name, count: ids.size, of: PARTITION_COUNT });
  }

  get types(): readonly string[] {
    return [...this.#types.keys()].toSorted();
  }

  get card(): NodeCard {
    const { owns, address, contracts } = this.#node;
    return {
      owns,
      address: address(),
      types: this.types,
      leaseMs: this.leaseMs,
      ...(contracts === undefined ? {} : { contracts: contracts.describe([...this.#types.values()]) }),
    };
  }

  get offer(): OwnershipHost["offer"] {
    const { offer } = this.#node;
    return offer === undefined ? undefined : (node, partitions) => offer(node, this.key, partitions);
  }

  async admit(): Promise<void> {
    const check = this.#node.contracts;
    if (check === undefined) return;
    const running = (await this.store.contracts()).filter(({ node }) => node !== this.nodeId);
    check.compare(check.describe([...this.#types.values()]), running);
  }

  async endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean> {
    const ids = new Set(partitions.map((partition) => partition.id));
    for (const id of ids) this.#closing.add(id);
    this.#timers.drop(ids);
    const until = this.clock.monotonic() + withinMs;
    let busy = [...this.#actors.values()].filter((activation) => ids.has(activation.partition));
    for (const activation of busy) activation.close(movingError());
    for (;;) {
      busy = busy.filter((activation) => activation.busy);
      // A turn that ran may have called others here meanwhile: they are looked at once it has ended.
      if (busy.length === 0)
        busy = [...this.#actors.values()].filter((activation) => ids.has(activation.partition) && activation.busy);
      if (busy.length === 0) return true;
      if (this.clock.monotonic() >= until) return false;
      await new Promise<void>((resolve) => this.clock.after(ENDED_POLL_MS, resolve));
    }
  }

  async reopen(partitions: readonly Partition[]): Promise<void> {
    for (const { id } of partitions) this.#closing.delete(id);
    this.#timers.load(await this.#timers.read(partitions.map(({ id }) => id)));
  }

  async detach(partitions: readonly Partition[]): Promise<void> {
    const ids = partitions.map(({ id }) => id);
    for (const id of ids) this.#closing.delete(id);
    this.#forget(new Set(ids));
    const left = await Promise.all(this.relays.map((relay) => relay.withdraw(ids, DETACH_MS)));
    const rows = left.flat();
    if (rows.length > 0) await this.store.saveCursors(rows);
    this.#node.log("debug", "partition:released", {
      store: this.store.name,
      count: ids.length,
      held: this.ownership.held().length,
    });
  }

  /** Says that this node is leaving, and hands over what it holds. It goes on routing. */
  leave(deadline: Promise<unknown>): Promise<void> {
    return this.ownership.leave(deadline);
  }

  // --- HeldActorsHost, ControlHost ---

  submitPause(write: PauseWrite, waiter: Waiter): void {
    const { type, key, partition } = write;
    const owner: TurnOwner = {
      id: { type, key },
      address: `${type}/${key}`,
      partition,
      schemaVersion: undefined,
      gone: false,
      committed: () => undefined,
      reload: () => undefined,
    };
    const envelope = controlEnvelope(write, write.since === undefined ? "$resume" : "$pause", undefined);
    const turn = new Turn(
      this.#types.get(type) as AnyActorType,
      envelope,
      partition,
      undefined,
      false,
      this,
      undefined,
    );
    const finished = new FinishedTurn(owner, envelope, turn, undefined, 0, undefined, write);
    finished.wait(waiter, { kind: "reply", body: undefined });
    (this.#lanes[partition % this.#lanes.length] as CommitLane).add(finished);
  }

  turnAway({ type, key }: ActorId, error: TroupeError): void {
    this.#actors.get(type, key)?.turnAway(error);
    this.#node.log("warn", "actor:paused", { actor: `${type}/${key}`, reason: error.message });
  }

  resumed(actor: ActorId): void {
    this.#node.log("info", "actor:resumed", { actor: `${actor.type}/${actor.key}` });
    this.store.timersOf(actor).then(
      (rows) => this.#timers.resume(rows),
      // They are found by the next regular read.
      (error: unknown) => this.failed("reading timers", error),
    );
  }

  activationOf({ type, key }: ActorId): Activation | undefined {
    return this.#actors.get(type, key);
  }

  // --- RelayHost ---

  lastSeq(partition: number): number | undefined {
    return this.ownership.partition(partition)?.lastSeq;
  }

  mayPublish(): boolean {
    return this.ownership.holdsLease();
  }

  sinkRecovered(sink: string): void {
    this.#node.log("info", "sink:recovered", { store: this.store.name, sink });
  }

  sinkFailed(sink: string, error: unknown): void {
    this.#node.log("warn", "sink:failed", { store: this.store.name, sink, error: describe(error) });
  }

  // --- housekeeping ---

  /** A turn that runs may wait for this very call: it is let in, or its turn would never end. */
  #mustWait({ type, key, callers }: Envelope): boolean {
    return callers.length === 0 && this.#closing.has(partitionOf(type, key));
  }

  /** Takes the actors of partitions out of memory, and what is known of their timers and pauses. */
  #forget(partitions: ReadonlySet<number>): void {
    this.#timers.drop(partitions);
    this.#held.drop(partitions);
    this.#watchers.lost(partitions, movingError());
    for (const activation of this.#actors.values()) {
      if (partitions.has(activation.partition)) this.#discard(activation, movingError(), "moved");
    }
  }

  async #quiet(): Promise<void> {
    while ([...this.#actors.values()].some((activation) => !activation.still)) {
      await Promise.all(this.#lanes.map((lane) => lane.idle()));
      await new Promise<void>((resolve) => this.clock.after(5, resolve, true));
    }
  }

  #discard(activation: Activation, error: TroupeError, reason: LeaveReason): void {
    this.forget(activation.id);
    this.#leaves(activation, activation.discard(error, reason));
  }

  /** The next load of the actor waits for what its last life still does. */
  #leaves({ address }: Activation, passivation: Promise<void> | undefined): void {
    if (passivation === undefined) return;
    const before = this.#leaving.get(address);
    const all = before === undefined ? passivation : Promise.all([before, passivation]).then(() => undefined);
    this.#leaving.set(address, all);
    void all.then(() => {
      if (this.#leaving.get(address) === all) this.#leaving.delete(address);
    });
  }

  async #saveCursors(): Promise<void> {
    const rows = this.relays.flatMap((relay) => relay.takeCursors());
    if (rows.length === 0) return;
    try {
      await this.store.saveCursors(rows);
    } catch (error) {
      for (const relay of this.relays) relay.saveFailed();
      this.failed("cursor save", error);
    }
  }

  async #prune(): Promise<void> {
    const before = this.clock.now() - this.#node.retentionMs;
    const held = this.ownership.held();
    try {
      if (held.length === 0) return;
      await this.store.pruneOutbox(
        held,
        this.relays.map((relay) => relay.sink.name),
        before,
      );
      await this.store.pruneReplies(before);
    } catch (error) {
      this.failed("pruning", error);
    }
  }

  #every(ms: number, task: () => Promise<void>): void {
    const arm = (): void => {
      if (this.#stopping) return;
      const cancel = this.clock.after(ms, () => {
        this.#cancels.delete(cancel);
        void task().finally(arm);
      });
      this.#cancels.add(cancel);
    };
    arm();
  }
}

function movingError(): TroupeError {
  return new TroupeError("unavailable", "Cannot finish the message as its partition has moved to another node");
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
