/**
 * One store on one node: puts the parts together that carry its actors, starts and stops them.
 *
 * Owns: nothing that runs; each part says itself what it owns. A message comes in by the `Intake`; its turn is handed to the
 * `CommitLanes`; what they wrote goes on to timers, watchers and relays; `Ownership` says which partitions all of this is
 * about, and `Rebalancing` brings them into use and out of it.
 */

import { ActiveActors, type ReportedActors } from "../activation/activation-directory.ts";
import { ActorReader } from "../activation/actor-reader.ts";
import type { AnyActorType } from "../actor/any-actor.ts";
import { durationMs } from "../base/duration.ts";
import { DEFAULT_IDLE } from "../base/limits.ts";
import { CommitLanes } from "../commit/commit-lanes.ts";
import { ControlHandler } from "../control/control-handler.ts";
import { RecentTurns } from "../control/inspection.ts";
import { pauseTurn } from "../control/pause-turn.ts";
import { HeldActors } from "../control/paused-actors.ts";
import { IndexFiller } from "../indexing/filler.ts";
import { partitionOf } from "../message/address.ts";
import { TroupeError } from "../message/errors.ts";
import { Ownership } from "../ownership/ownership.ts";
import { PartitionTable } from "../ownership/partition-table.ts";
import type { Sink } from "../ports/sink.ts";
import type { ActorId, DeadLetter, Store } from "../ports/store.ts";
import { Relay } from "../relay/relay.ts";
import { StoreLog } from "../telemetry/store-log.ts";
import { afterTimerFailure, fireTimer, type TimerDeliveryHost } from "../timers/fire-timer.ts";
import { TimerService } from "../timers/timer-service.ts";
import { Watchers } from "../watch/watch-polls.ts";
import { Intake } from "./dispatcher.ts";
import { Housekeeping } from "./housekeeping.ts";
import type { NodeServices } from "./node-services.ts";
import { Rebalancing } from "./partition-lifecycle.ts";

export class StoreHost {
  readonly store: Store;
  /** The store's name among those of the node: the same on every node of a cluster. */
  readonly key: string;
  readonly leaseMs: number;
  /** The names of the actor types that live here, sorted. */
  readonly types: readonly string[];
  readonly partitions: PartitionTable;
  readonly ownership: Ownership;
  readonly relays: readonly Relay[];
  readonly timers: TimerService;
  readonly intake: Intake;
  readonly #node: NodeServices;
  readonly #types: ReadonlyMap<string, AnyActorType>;
  readonly #log: StoreLog;
  readonly #actors: ActiveActors;
  readonly #watchers: Watchers;
  readonly #held: HeldActors;
  readonly #index: IndexFiller;
  readonly #lanes: CommitLanes;
  readonly #reader: ActorReader;
  readonly #housekeeping: Housekeeping;

  constructor(key: string, store: Store, types: readonly AnyActorType[], sinks: readonly Sink[], node: NodeServices) {
    const { clock } = node;
    this.key = key;
    this.store = store;
    this.leaseMs = node.leaseMs;
    this.types = types.map(({ type }) => type).toSorted();
    this.#node = node;
    this.#types = new Map(types.map((type) => [type.type, type]));
    this.#log = new StoreLog(node.log, store.name);
    this.partitions = new PartitionTable(node.nodeId, clock);
    // What is made first gets to what is made later by functions: everything here meets everything else at work.
    this.relays = sinksOf(store.name, sinks).map((sink) => this.#makeRelay(sink));
    this.timers = this.#makeTimers();
    this.#actors = new ActiveActors(node.residents);
    this.#reader = new ActorReader({ clock, store, types: this.#types, actors: this.#actors });
    this.#watchers = new Watchers(clock, this.#reader);
    this.#held = this.#makeHeldActors();
    this.#index = new IndexFiller(types, {
      ...this.#common(),
      partition: (id) => this.partitions.partition(id),
      failed: (what, error) => this.#log.failed(what, error),
    });
    const parts = {
      node,
      store,
      storeKey: key,
      types,
      log: this.#log,
      actors: this.#actors,
      watchers: this.#watchers,
      held: this.#held,
      timers: this.timers,
      relays: this.relays,
      index: this.#index,
    };
    const rebalancing = new Rebalancing({ ...parts, heldCount: () => this.partitions.held().length });
    this.ownership = new Ownership(rebalancing, this.partitions);
    this.#lanes = new CommitLanes(node.lanes, {
      ...this.#common(),
      log: this.#log,
      partitions: this.partitions,
      ownership: this.ownership,
      listeners: [this.#watchers, this.timers, ...this.relays],
    });
    this.intake = this.#makeIntake(rebalancing);
    this.#housekeeping = new Housekeeping({
      ...parts,
      clock,
      residents: node.residents,
      retentionMs: node.retentionMs,
      shortestIdleMs: Math.min(...types.map(({ options }) => durationMs(options.idle ?? DEFAULT_IDLE))),
      held: () => this.partitions.held(),
    });
  }

  get activeActors(): number {
    return this.#actors.size;
  }

  get ownedPartitions(): number {
    return this.partitions.held().length;
  }

  get timersDue(): number {
    return this.timers.due;
  }

  /** What is in memory, by type. */
  reportActors(): ReportedActors[] {
    return this.#actors.report([...this.#types.keys()]);
  }

  async start(): Promise<void> {
    await this.store.open();
    await this.ownership.start();
    this.#housekeeping.start();
  }

  /** Says that this node is leaving, and hands over what it holds. It goes on routing. */
  leave(deadline: Promise<unknown>): Promise<void> {
    return this.ownership.leave(deadline);
  }

  /** Ends turns, writes what is finished, saves cursors, gives the partitions back. */
  async stop(deadline: Promise<unknown>): Promise<void> {
    this.intake.stop();
    this.#lanes.stop();
    this.#watchers.stop(new TroupeError("stopping", "Cannot watch the actor here as this node is shutting down"));
    this.timers.stop();
    this.#index.stop();
    this.#housekeeping.stop();
    await Promise.race([this.#drained(), deadline]);
    for (const relay of this.relays) relay.stop();
    // Turns that are still running have had their time.
    this.#actors.discard(
      new TroupeError("stopping", "Cannot finish the message as this node is shutting down"),
      "stop",
    );
    await Promise.race([this.#actors.allLeft(), deadline]);
    await this.#housekeeping.saveCursors();
    await this.ownership.stop().catch((error: unknown) => this.#log.failed("giving partitions back", error));
    await this.store.close();
  }

  async #drained(): Promise<void> {
    while (!this.#actors.still) {
      await this.#lanes.drained();
      await new Promise<void>((resolve) => this.#node.clock.after(5, resolve, true));
    }
    // A sink that is down gets the rest from the next owner: no reason to hold up the stop.
    await Promise.all(this.relays.filter(({ failing }) => failing === undefined).map((relay) => relay.idle()));
  }

  /**
   * Keeps dead letters durably, logs and counts each.
   * @throws what the store throws: nothing is kept then.
   */
  async bury(letters: readonly DeadLetter[]): Promise<void> {
    await this.store.recordDeadLetters(letters);
    for (const letter of letters) {
      this.#log.letterKept(letter);
      this.#node.metrics?.buried(letter.reason);
    }
  }

  // --- the parts ---

  #common() {
    const { nodeId, clock, randomness, metrics } = this.#node;
    return { nodeId, clock, randomness, metrics, store: this.store };
  }

  #makeRelay(sink: Sink): Relay {
    return new Relay(sink, {
      ...this.#common(),
      lastSeq: (partition) => this.partitions.partition(partition)?.lastSeq,
      mayPublish: () => this.partitions.holdsLease(),
      bury: (letters) => this.bury(letters),
      sinkFailed: (name, error) => this.#log.sinkFailed(name, error),
      sinkRecovered: (name) => this.#log.sinkRecovered(name),
    });
  }

  #makeTimers(): TimerService {
    const { clock, randomness } = this.#node;
    const delivery: TimerDeliveryHost = {
      clock,
      bury: (letter) => this.bury([letter]),
      deliver: (message) => this.intake.deliver(message),
      pause: ({ type, key }, reason) => this.#held.pause({ type, key, partition: partitionOf(type, key) }, reason),
    };
    return new TimerService({
      clock,
      randomness,
      read: (partitions, before, limit, after) => this.store.timers(partitions, before, limit, after),
      owned: () => this.partitions.held(),
      holds: (partition) => this.partitions.partition(partition) !== undefined,
      fire: (timer, attempt, skip) => fireTimer(delivery, timer, attempt, skip),
      afterFailure: (timer, attempt, error) =>
        afterTimerFailure(delivery, this.#types.get(timer.type), timer, attempt, error),
      failed: (error) => this.#log.failed("reading timers", error),
    });
  }

  #makeHeldActors(): HeldActors {
    const now = (): number => this.#node.clock.now();
    return new HeldActors({
      now,
      submitPause: (write, waiter) => this.#lanes.of(write.partition).add(pauseTurn(write, waiter, now())),
      deliver: (message) => this.intake.deliver(message),
      turnAway: (actor, error) => {
        this.#actors.find(actor.type, actor.key)?.turnAway(error);
        this.#log.actorPaused(actor, error);
      },
      resumed: (actor) => {
        this.#log.actorResumed(actor);
        this.#rereadTimers(actor);
      },
    });
  }

  #makeIntake({ closing }: Rebalancing): Intake {
    const node = this.#node;
    const { recentTurns, probe, clock } = node;
    const recent = recentTurns > 0 ? new RecentTurns(recentTurns, () => clock.now()) : undefined;
    const controls = new ControlHandler(
      {
        ...this.#common(),
        relays: this.relays,
        reader: this.#reader,
        actors: this.#actors,
      },
      this.#held,
      recent,
    );
    return new Intake({
      types: this.#types,
      actors: this.#actors,
      held: this.#held,
      watchers: this.#watchers,
      controls,
      recent,
      probe,
      closing,
      activation: {
        ...this.#common(),
        ref: node.ref,
        probe,
        log: this.#log,
        actors: this.#actors,
        reader: this.#reader,
        lanes: this.#lanes,
        timers: this.timers,
        partitions: this.partitions,
      },
    });
  }

  /** An actor goes on after a pause: its timers were left out of what is read meanwhile. */
  #rereadTimers(actor: ActorId): void {
    // Should it fail, they are found by the next regular read.
    this.timers
      .resume(() => this.store.timersOf(actor))
      .catch((error: unknown) => this.#log.failed("reading timers", error));
  }
}

/** @throws {TypeError} two of one name: they would share a cursor, and what one took would be skipped by the other. */
function sinksOf(store: string, sinks: readonly Sink[]): readonly Sink[] {
  const own = sinks.filter((sink) => sink.stores === undefined || sink.stores.includes(store));
  const names = new Set<string>();
  for (const { name } of own) {
    if (names.has(name)) {
      throw new TypeError(
        `Cannot give two sinks of the store "${store}" the name "${name}" as cursors are kept under it: expected names that differ`,
      );
    }
    names.add(name);
  }
  return own;
}
