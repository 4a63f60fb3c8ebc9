/** Reads what is stored of the actors of one store: their state, replies, journal and timers. */
import type { AnyActorType } from "../actor/any-actor.ts";
import { readState } from "../actor/read-state.ts";
import type { Clock } from "../base/clock.ts";
import { type Loaded, loadActors } from "../journal/load.ts";
import type { JournalHost } from "../journal/rebuild.ts";
import { TroupeError } from "../message/errors.ts";
import type {
  ActorId,
  JournalRecord,
  LoadedActor,
  ReplyKey,
  Store,
  StoredReply,
  TimerRow,
  TimerWrite,
} from "../ports/store.ts";
import type { Sight } from "../watch/watch-polls.ts";
import { BatchLoader } from "./batch-loader.ts";

/** The actors in memory, as far as what is read depends on them. */
export interface ActorsInMemory {
  find(type: string, key: string): ActorInMemory | undefined;
  /** Resolves when what an actor's last stay in memory has left is over; `undefined` when that is nothing. */
  left(actor: ActorId): Promise<void> | undefined;
}

interface ActorInMemory {
  /** The state after the last turn that ended well, once it is durable; nothing while it is not at hand. */
  sight(): Promise<Sight> | undefined;
  /** Changes of timers that finished turns made and that are not durable yet. */
  readonly timerWrites: Iterable<TimerWrite>;
}

export interface ActorReaderParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly types: ReadonlyMap<string, AnyActorType>;
  readonly actors: ActorsInMemory;
}

export class ActorReader implements JournalHost {
  readonly #parts: ActorReaderParts;
  readonly #loader: BatchLoader<ActorId, Loaded>;
  readonly #replies: BatchLoader<ReplyKey, StoredReply | undefined>;

  constructor(parts: ActorReaderParts) {
    const { store, types } = parts;
    this.#parts = parts;
    const journaled = [...types.values()].some((type) => type.options.journal !== undefined);
    this.#loader = new BatchLoader<ActorId, Loaded>(
      (actors) => (journaled ? loadActors(store, (type) => types.get(type), actors) : store.load(actors)),
      ({ state, replyIds }) => replyIds.reduce((sum, { length }) => sum + length, state?.length ?? 0),
    );
    this.#replies = new BatchLoader<ReplyKey, StoredReply | undefined>(
      (asked) => store.findReplies(asked),
      (found) => found?.reply?.length ?? 0,
    );
  }

  /** The stored actor, once what its last stay in memory has left is over. */
  load(actor: ActorId): Promise<Loaded> {
    const left = this.#parts.actors.left(actor);
    return left === undefined ? this.#loader.load(actor) : left.then(() => this.#loader.load(actor));
  }

  /** What is durable of an actor of this node, which need not be in memory. */
  async look(actor: ActorId): Promise<Sight> {
    const sight = await this.#parts.actors.find(actor.type, actor.key)?.sight();
    if (sight !== undefined) return sight;
    const { state, version, schemaVersion, failure } = await this.load(actor);
    if (failure !== undefined) throw unreadable(actor, failure);
    // The answer may come late: an actor that is in memory by now knows better.
    const newer = await this.#parts.actors.find(actor.type, actor.key)?.sight();
    if (newer !== undefined) return newer;
    const type = this.#parts.types.get(actor.type) as AnyActorType;
    return { version, state: state === undefined ? undefined : readState(type, actor.key, state, schemaVersion) };
  }

  /** The stored reply to a message id; `undefined` where there is none. */
  findReply({ type, key }: ActorId, id: string): Promise<StoredReply | undefined> {
    return this.#replies.load({ type, key, id });
  }

  readJournal(actor: ActorId, after: number, limit: number): Promise<readonly JournalRecord[]> {
    return this.#parts.store.readJournal([{ ...actor, after }], limit);
  }

  async readSnapshot(actor: ActorId): Promise<LoadedActor> {
    return (await this.#parts.store.load([actor]))[0] as LoadedActor;
  }

  /** The timers of an actor, with what its finished turns made of them that is not durable yet. */
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

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.after(ms, resolve));
  }
}

/** Why an actor whose journal cannot be replayed cannot be used: code that can read it may come. */
export function unreadable({ type, key }: ActorId, cause: Error): TroupeError {
  return new TroupeError("unavailable", `Cannot read the state of ${type}/${key} as its journal cannot be replayed`, {
    cause,
  });
}
