/**
 * One store on one node: puts the parts together that carry its actors, starts and stops them.
 *
 * Owns: nothing that runs; each part says itself what it owns. A message comes in by the `Dispatcher`; its turn goes to a
 * commit lane; what that wrote goes on to the relays, timers and watch polls; `Ownership` says which partitions all of this
 * is about, and `PartitionLifecycle` brings them into use and out of it.
 */
import { ActivationDirectory, type ReportedActors } from "../activation/activation-directory.ts";
import { ActorReader } from "../activation/actor-reader.ts";
import type { AnyActorType } from "../actor/any-actor.ts";
import { Deadlines } from "../base/deadlines.ts";
import { durationMs } from "../base/duration.ts";
import { DEFAULT_IDLE } from "../base/limits.ts";
import { CommitLanes } from "../commit/commit-lanes.ts";
import { ControlHandler } from "../control/control-handler.ts";
import { RecentTurns } from "../control/inspection.ts";
import { PausedActors } from "../control/paused-actors.ts";
import { DeadLetterRecorder } from "../dead-letters/recorder.ts";
import { IndexFiller } from "../indexing/filler.ts";
import { TroupeError } from "../message/errors.ts";
import { Ownership } from "../ownership/ownership.ts";
import { PartitionTable } from "../ownership/partition-table.ts";
import type { LaneLoad } from "../ports/metrics.ts";
import type { Sink } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { Relay } from "../relay/relay.ts";
import { Relays } from "../relay/relays.ts";
import { StoreLog } from "../telemetry/store-log.ts";
import { FireTimers } from "../timers/fire-timer.ts";
import { TimerService } from "../timers/timer-service.ts";
import { WatchPolls } from "../watch/watch-polls.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Housekeeping } from "./housekeeping.ts";
import { Membership } from "./membership.ts";
import type { NodeServices } from "./node-services.ts";
import { PartitionLifecycle } from "./partition-lifecycle.ts";
import { Suspects } from "./suspects.ts";

export class StoreHost {
  readonly store: Store;
  /** The store's name among those of the node: the same on every node of a cluster. */
  readonly key: string;
  readonly leaseMs: number;
  /** The names of the actor types that live here, sorted. */
  readonly types: readonly string[];
  readonly partitions: PartitionTable;
  readonly ownership: Ownership;
  readonly letters: DeadLetterRecorder;
  readonly timers: TimerService;
  readonly dispatcher: Dispatcher;
  /** As `types`, in the order they were given. */
  readonly #registered: readonly string[];
  readonly #node: NodeServices;
  readonly #log: StoreLog;
  readonly #actors: ActivationDirectory;
  readonly #watchers: WatchPolls;
  readonly #index: IndexFiller;
  readonly #relays: Relays;
  readonly #lanes: CommitLanes;
  readonly #turnLimits: Deadlines;
  readonly #lifecycle: PartitionLifecycle;
  readonly #fireTimers: FireTimers;
  readonly #housekeeping: Housekeeping;

  constructor(key: string, store: Store, types: readonly AnyActorType[], sinks: readonly Sink[], node: NodeServices) {
    const { nodeId, clock, randomness, metrics, spans, leaseMs, probe, recentTurns } = node;
    const byName = new Map(types.map((type) => [type.type, type]));
    const log = new StoreLog(node.log, store.name);
    const partitions = new PartitionTable(nodeId, clock, store);
    const base = { nodeId, store, clock, randomness, metrics, spans, log, partitions };
    this.key = key;
    this.store = store;
    this.leaseMs = leaseMs;
    this.#registered = [...byName.keys()];
    this.types = this.#registered.toSorted();
    this.partitions = partitions;
    this.#node = node;
    this.#log = log;

    this.#turnLimits = new Deadlines(clock);

    // Who holds what.
    const membership = new Membership({ node, store, storeKey: key, types, log });
    this.ownership = new Ownership({ ...base, leaseMs, membership });
    // What is told of each commit, and what is read.
    this.letters = new DeadLetterRecorder(store, log, metrics);
    this.#relays = new Relays(sinks, { ...base, letters: this.letters });
    this.timers = new TimerService(base);
    this.#actors = new ActivationDirectory(node.residents);
    const reader = new ActorReader({ clock, store, types: byName, actors: this.#actors });
    this.#watchers = new WatchPolls(clock, reader);
    this.#index = new IndexFiller(types, base);
    // The way of a message: the dispatcher, an actor in memory, a commit lane.
    const listeners = [this.#watchers, this.timers, ...this.#relays.all];
    this.#lanes = new CommitLanes(node.lanes, { ...base, ownership: this.ownership, probe, listeners });
    const parts = { ...base, actors: this.#actors, reader, lanes: this.#lanes, timers: this.timers };
    const held = new PausedActors(parts);
    const suspects = new Suspects({ ...base, types: byName });
    this.#lifecycle = new PartitionLifecycle({
      ...parts,
      listeners: [suspects, this.timers, held, this.#watchers, this.#actors, this.#relays, this.#index],
    });
    const recent = recentTurns > 0 ? new RecentTurns(recentTurns, () => clock.now()) : undefined;
    this.dispatcher = new Dispatcher({
      ...parts,
      types: byName,
      held,
      suspects,
      controls: new ControlHandler({ ...parts, relays: this.#relays, held, recent }),
      watchers: this.#watchers,
      recent,
      probe,
      closing: this.#lifecycle.closing,
      activation: { ...parts, ref: node.ref, askedInTurn: node.askedInTurn, probe, turnLimits: this.#turnLimits },
    });
    // A timer's message comes in as every message does.
    this.#fireTimers = new FireTimers({
      clock,
      types: byName,
      letters: this.letters,
      lanes: this.#lanes,
      dispatcher: this.dispatcher,
      paused: held,
      spans,
    });
    this.#housekeeping = new Housekeeping({
      ...base,
      relays: this.#relays,
      residents: node.residents,
      retentionMs: node.retentionMs,
      stores: node.stores,
      shortestIdleMs: Math.min(...types.map(({ options }) => durationMs(options.idle ?? DEFAULT_IDLE))),
    });
  }

  get relays(): readonly Relay[] {
    return this.#relays.all;
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

  get leaseAgeMs(): number {
    return this.partitions.leaseAgeMs();
  }

  get laneLoad(): LaneLoad {
    return this.#lanes.load;
  }

  /** What is in memory, by type. */
  reportActors(): ReportedActors[] {
    return this.#actors.report(this.#registered);
  }

  async start(): Promise<void> {
    await this.store.open();
    this.timers.start(this.#fireTimers);
    await this.ownership.start(this.#lifecycle);
    await this.#housekeeping.registerSinks();
    this.#housekeeping.start();
  }

  /** Says that this node is leaving, and hands over what it holds. It goes on routing. */
  leave(deadline: Promise<unknown>): Promise<void> {
    return this.ownership.leave(deadline);
  }

  /** Ends turns, writes what is finished, saves cursors, gives the partitions back. */
  async stop(deadline: Promise<unknown>): Promise<void> {
    this.dispatcher.stop();
    this.#lanes.stop();
    this.#watchers.stop(new TroupeError("stopping", "Cannot watch the actor here as this node is shutting down"));
    this.timers.stop();
    this.#index.stop();
    this.#housekeeping.stop();
    await Promise.race([this.#drained(), deadline]);
    this.#relays.stop();
    // Turns that are still running have had their time.
    this.#actors.discard(
      new TroupeError("stopping", "Cannot finish the message as this node is shutting down"),
      "stop",
    );
    this.#turnLimits.stop();
    await Promise.race([this.#actors.allLeft(), deadline]);
    await this.#relays.saveCursors();
    await this.ownership.stop().catch((error: unknown) => this.#log.failed("giving partitions back", error));
    await this.store.close();
  }

  async #drained(): Promise<void> {
    while (!this.#actors.still) {
      await this.#lanes.drained();
      await new Promise<void>((resolve) => this.#node.clock.after(5, resolve, true));
    }
    await this.#relays.idle();
  }
}
