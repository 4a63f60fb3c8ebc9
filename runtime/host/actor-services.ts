/**
 * What the actors of one store get from their node: their state from the store, a lane for what their turns leave, timers,
 * the clock, handles to others.
 */

import type { ActiveActors } from "../activation/activation-directory.ts";
import type { ActivationHost } from "../activation/activation-host.ts";
import type { AnyActorType } from "../actor/any-actor.ts";
import type { LeaveReason } from "../actor/life.ts";
import { readState } from "../actor/read-state.ts";
import type { ActorRef } from "../actor/ref.ts";
import type { Clock } from "../base/clock.ts";
import type { Randomness } from "../base/randomness.ts";
import type { CommitLanes } from "../commit/commit-lanes.ts";
import type { LaneRoom } from "../commit/lane-room.ts";
import { loadActors } from "../journal/load.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId, JournalRecord, LoadedActor, ReplyKey, Store, StoredReply, TimerRow } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { Sight, WatchersHost } from "../watch/watch-polls.ts";
import { Loader } from "./batch-loader.ts";
import type { NodeServices } from "./node-services.ts";

export interface ActorServicesParts {
  readonly node: NodeServices;
  readonly store: Store;
  readonly types: ReadonlyMap<string, AnyActorType>;
  readonly log: StoreLog;
  readonly actors: ActiveActors;
  readonly ownership: Ownership;
  readonly lanes: CommitLanes;
  readonly timers: TimerService;
}

export class ActorServices implements ActivationHost, WatchersHost {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: NodeMetrics | undefined;
  readonly #parts: ActorServicesParts;
  readonly #loader: Loader<ActorId, LoadedActor>;
  readonly #replies: Loader<ReplyKey, StoredReply | undefined>;

  constructor(parts: ActorServicesParts) {
    const { node, store, types } = parts;
    this.clock = node.clock;
    this.randomness = node.randomness;
    this.metrics = node.metrics;
    this.#parts = parts;
    const journaled = [...types.values()].some((type) => type.options.journal !== undefined);
    this.#loader = new Loader((actors) =>
      journaled ? loadActors(store, (type) => types.get(type), actors) : store.load(actors),
    );
    this.#replies = new Loader((asked) => store.findReplies(asked));
  }

  now(): number {
    return this.clock.now();
  }

  uuid(nowMs: number): string {
    return this.randomness.uuid(nowMs);
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }

  ref<A extends AnyActorType>(type: A, key: string, from: Envelope, deadline: number | undefined): ActorRef<A> {
    return this.#parts.node.ref(type, key, from, deadline);
  }

  mayServe(): boolean {
    return this.#parts.ownership.holdsLease();
  }

  // --- what is stored ---

  load(actor: ActorId): Promise<LoadedActor> {
    const left = this.#parts.actors.left(actor);
    return left === undefined ? this.#loader.load(actor) : left.then(() => this.#loader.load(actor));
  }

  /** What is durable of an actor of this node, which need not be in memory. */
  async look(actor: ActorId): Promise<Sight> {
    const sight = await this.#parts.actors.find(actor.type, actor.key)?.sight();
    if (sight !== undefined) return sight;
    const { state, version, schemaVersion } = await this.load(actor);
    const type = this.#parts.types.get(actor.type) as AnyActorType;
    return { version, state: state === undefined ? undefined : readState(type, actor.key, state, schemaVersion) };
  }

  findReply({ type, key }: ActorId, id: string): Promise<StoredReply | undefined> {
    return this.#replies.load({ type, key, id });
  }

  readJournal(actor: ActorId, after: number, limit: number): Promise<readonly JournalRecord[]> {
    return this.#parts.store.readJournal([{ ...actor, after }], limit);
  }

  async readSnapshot(actor: ActorId): Promise<LoadedActor> {
    return (await this.#parts.store.load([actor]))[0] as LoadedActor;
  }

  // --- what turns leave ---

  room(partition: number): LaneRoom {
    return this.#parts.lanes.room(partition);
  }

  submit(turn: FinishedTurn): void {
    this.#parts.node.probe?.finished(turn);
    this.#parts.lanes.add(turn);
  }

  timerIsCurrent(actor: ActorId, name: string, dueAt: number): boolean {
    return this.#parts.timers.isCurrent(actor, name, dueAt);
  }

  async timersOf(actor: ActorId): Promise<readonly TimerRow[]> {
    const { actors, store } = this.#parts;
    // Taken before the read: what commits meanwhile is in both, what does not is in these alone.
    const writes = [...(actors.find(actor.type, actor.key)?.timerWrites ?? [])];
    const rows = new Map((await store.timersOf(actor)).map((row) => [row.name, row]));
    for (const write of writes) {
      if (write.dueAt === undefined) rows.delete(write.name);
      else rows.set(write.name, write);
    }
    return [...rows.values()];
  }

  // --- leaving memory ---

  evict(actor: ActorId, reason: LeaveReason): void {
    this.#parts.actors.evict(actor, reason);
  }

  forget(actor: ActorId): void {
    this.#parts.actors.forget(actor);
  }

  // --- what is told ---

  ticksSkipped(timer: TimerRow, until: number): void {
    this.#parts.log.ticksSkipped(timer, until);
  }

  turnFailed(envelope: Envelope, error: unknown): void {
    this.#parts.log.turnFailed(envelope, error);
  }

  hookFailed(address: string, hook: "onActivate" | "onPassivate", error: unknown): void {
    this.#parts.log.hookFailed(address, hook, error);
  }
}
