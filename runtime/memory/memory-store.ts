import { type Clock, systemClock } from "../base/clock.ts";
import { compareText } from "../base/text-order.ts";
import { eventOfJournal } from "../journal/event-of-journal.ts";
import { checkedPartitions, PARTITION_COUNT } from "../message/address.ts";
import {
  type ActorId,
  type ActorRow,
  type BegunMessage,
  type CommitBatch,
  CommitRefusedError,
  type CursorRow,
  type DeadLetter,
  type DeadLetterChange,
  type DeadLetterFilter,
  type DeadLetterWindow,
  type Fence,
  type IndexedFields,
  type IndexFill,
  type IndexQuery,
  type JournalRecord,
  type KnownSink,
  type LoadedActor,
  type NodeInfo,
  type NodeId,
  type OutboxKind,
  type OutboxRecord,
  type PausedActor,
  type ReplyKey,
  SENT_IDS,
  type StateWrite,
  type Store,
  type StoredReply,
  type TimerPlace,
  type TimerRow,
} from "../ports/store.ts";
import { MemoryDeadLetters } from "./memory-dead-letters.ts";
import { MemoryIndex } from "./memory-index.ts";
import { MemoryOutbox } from "./memory-outbox.ts";
import { MemoryOwnership } from "./memory-ownership.ts";

/** A state as the commit brought it. */
type Row = StateWrite & { readonly state: string };

/**
 * A store in memory: the promises of the Postgres store, except that nothing outlives the process. Several nodes in one
 * process may share it. For tests and for the edge.
 *
 * @param name how it is called in logs. Default: `memory`.
 * @param clock what leases are counted by. Default: the machine's.
 * @param partitions how many it has, 64 to 1,024. Default: 64.
 * @throws {RangeError} another number of partitions.
 *
 * @example
 * ```ts
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() } });
 * await node.ref(Counter, "visits").add({ by: 1 }); // 1
 * await node.stop();
 * ```
 */
export function memory(name = "memory", clock: Clock = systemClock, partitions: number = PARTITION_COUNT): Store {
  return new MemoryStore(name, clock, checkedPartitions(partitions));
}

class MemoryStore implements Store {
  readonly name: string;
  readonly partitions: number;
  readonly #clock: Clock;
  readonly #ownership: MemoryOwnership;
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #replies = new Map<string, Map<string, StoredReply & { readonly at: number }>>();
  readonly #timers = new Map<string, TimerRow>();
  readonly #outbox: MemoryOutbox;
  readonly #journal = new Map<string, JournalRecord[]>();
  readonly #index: MemoryIndex;
  readonly #pauses = new Map<string, PausedActor>();
  readonly #begun = new Map<string, BegunMessage>();
  readonly #letters = new MemoryDeadLetters();

  constructor(name: string, clock: Clock, partitions: number) {
    this.name = name;
    this.partitions = partitions;
    this.#clock = clock;
    this.#ownership = new MemoryOwnership(clock, partitions);
    this.#outbox = new MemoryOutbox(partitions);
    this.#index = new MemoryIndex(partitions);
  }

  open = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
  check = (): Promise<void> => Promise.resolve();

  heartbeat = async (node: NodeId, leaseMs: number, info?: NodeInfo) => this.#ownership.heartbeat(node, leaseMs, info);
  nodes = async () => this.#ownership.nodes();
  contracts = async () => this.#ownership.contracts();
  acquire = async (node: NodeId, partitions?: readonly number[]) => this.#ownership.acquire(node, partitions);
  release = async (node: NodeId, partitions: readonly Fence[]) => this.#ownership.release(node, partitions);
  settle = async (node: NodeId, partitions: readonly Fence[]) => this.#ownership.settle(node, partitions);

  async load(actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
    return actors.map(({ type, key }) => {
      const row = this.#rows.get(type)?.get(key);
      const replyIds = [...(this.#replies.get(`${type}/${key}`)?.keys() ?? [])];
      return {
        state: row?.state,
        version: row?.version ?? 0,
        schemaVersion: row?.schemaVersion ?? 1,
        replyIds,
        repliesComplete: true,
      };
    });
  }

  async findReplies(asked: readonly ReplyKey[]): Promise<readonly (StoredReply | undefined)[]> {
    return asked.map(({ type, key, id }) => {
      const found = this.#replies.get(`${type}/${key}`)?.get(id);
      return found === undefined ? undefined : toReply(found);
    });
  }

  async list(
    type: string,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<readonly ActorRow[]> {
    return page([...(this.#rows.get(type)?.keys() ?? [])], limit, after).map((key) => this.#row(type, key));
  }

  async where({ type, fields, conditions, limit, after }: IndexQuery): Promise<readonly ActorRow[] | undefined> {
    if (!this.#index.isComplete(type, fields)) return undefined;
    return page(this.#index.keys(type, conditions), limit, after).map((key) => this.#row(type, key));
  }

  async indexedFields(partitions: readonly number[]): Promise<readonly IndexedFields[]> {
    return this.#index.complete(partitions);
  }

  async fillIndex(node: NodeId, fences: readonly Fence[], fill: IndexFill): Promise<void> {
    this.#ownership.check(node, fences);
    const rows = this.#rows.get(fill.type);
    this.#index.fill(fences[0]?.partition ?? 0, fill, (key) => rows?.get(key)?.state);
    if (fill.complete !== undefined)
      this.#index.tidy(fences, fill.type, fill.complete, (key) => rows?.has(key) === true);
    this.#index.record(fences, fill.type, fill.complete);
  }

  async commit(node: NodeId, batch: CommitBatch): Promise<void> {
    this.#ownership.check(node, batch.fences);
    const taken = batch.outbox.find(({ partition, seq }) => seq <= this.#ownership.lastSeq(partition));
    if (taken !== undefined)
      throw new CommitRefusedError(`Cannot write record ${taken.seq} of partition ${taken.partition} twice`);
    this.#ownership.committed(batch.fences);
    let rowsOf: string | undefined;
    let rows = new Map<string, Row>();
    for (const write of batch.states) {
      if (write.type !== rowsOf) {
        rows = getOrMake(this.#rows, write.type, () => new Map<string, Row>());
        rowsOf = write.type;
      }
      if (write.state === undefined) rows.delete(write.key);
      else rows.set(write.key, write as Row);
    }
    for (const { type, key, id, hash, reply, at } of batch.replies) {
      getOrMake(this.#replies, `${type}/${key}`, () => new Map()).set(id, { id, hash, reply, at });
    }
    for (const write of batch.timers) {
      if (write.dueAt === undefined) this.#timers.delete(timerId(write));
      else this.#timers.set(timerId(write), write);
    }
    for (const write of batch.pauses ?? []) {
      if (write.since === undefined) this.#pauses.delete(`${write.type}/${write.key}`);
      else this.#pauses.set(`${write.type}/${write.key}`, write);
    }
    this.#outbox.write(batch.outbox);
    for (const write of batch.index) this.#index.write(write);
    for (const row of batch.journal ?? []) getOrMake(this.#journal, `${row.type}/${row.key}`, () => []).push(row);
  }

  async readJournal(
    actors: readonly (ActorId & { readonly after: number })[],
    limit: number,
  ): Promise<readonly JournalRecord[]> {
    return actors.flatMap(({ type, key, after }) =>
      (this.#journal.get(`${type}/${key}`) ?? []).filter((row) => row.seq > after).slice(0, limit),
    );
  }

  async readHistory(
    type: string,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    const rows = [...this.#journal.values()].flat().filter((row) => row.type === type && row.position > 0);
    return positions.flatMap(({ partition, after }) =>
      rows
        .filter((row) => row.partition === partition && row.position > after)
        .toSorted((a, b) => a.position - b.position)
        .slice(0, limit)
        .map(eventOfJournal),
    );
  }

  async timers(
    partitions: readonly number[],
    before: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<readonly TimerRow[]> {
    const wanted = new Set(partitions);
    const rows = [...this.#timers.values()].filter(
      (timer) =>
        wanted.has(timer.partition) &&
        timer.dueAt < before &&
        (after === undefined || byPlace(timer, after) > 0) &&
        !this.#pauses.has(`${timer.type}/${timer.key}`),
    );
    return rows.toSorted(byPlace).slice(0, limit);
  }

  async timersOf({ type, key }: ActorId): Promise<readonly TimerRow[]> {
    const rows = [...this.#timers.values()].filter((timer) => timer.type === type && timer.key === key);
    return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async paused(partitions: readonly number[]): Promise<readonly PausedActor[]> {
    const wanted = new Set(partitions);
    return [...this.#pauses.values()].filter((pause) => wanted.has(pause.partition));
  }

  cursors = async (partitions: readonly number[]) => this.#outbox.cursors(partitions);
  saveCursors = async (cursors: readonly CursorRow[]) => this.#outbox.saveCursors(cursors);
  readOutbox = async (kind: OutboxKind, positions: Parameters<Store["readOutbox"]>[1], limit: number) =>
    this.#outbox.read(kind, positions, limit);
  registerSinks = async (sinks: readonly KnownSink[], at: number) => this.#outbox.registerSinks(sinks, at);
  forgetSinks = async (before: number) => this.#outbox.forgetSinks(before);
  oldestAhead = async (sink: string, kind: OutboxKind) => this.#outbox.oldestAhead(sink, kind);
  pruneOutbox = async (partitions: readonly number[], before: number, limit: number) =>
    this.#outbox.prune(partitions, before, limit);

  async pruneReplies(before: number, sentBefore: number, limit: number): Promise<number> {
    let pruned = 0;
    for (const replies of this.#replies.values()) {
      for (const [id, { at }] of replies) {
        if (pruned >= limit) return pruned;
        const sent = SENT_IDS.some((prefix) => id.startsWith(prefix));
        if (at < before && (!sent || at < sentBefore) && replies.delete(id)) pruned++;
      }
    }
    return pruned;
  }

  async begun(partitions: readonly number[]): Promise<readonly BegunMessage[]> {
    const wanted = new Set(partitions);
    return [...this.#begun.values()].filter(({ partition }) => wanted.has(partition));
  }

  async saveBegun(messages: readonly BegunMessage[]): Promise<void> {
    for (const message of messages) {
      const id = `${message.type}/${message.key}\u0000${message.id}`;
      if (message.count === 0) this.#begun.delete(id);
      else this.#begun.set(id, message);
    }
  }

  async pruneBegun(before: number): Promise<void> {
    for (const [id, { at }] of this.#begun) if (at < before) this.#begun.delete(id);
  }

  async recordDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    this.#letters.record(letters);
  }

  deadLetters = async (filter: DeadLetterFilter, page: DeadLetterWindow) => this.#letters.list(filter, page);
  deadLetter = async (id: string) => this.#letters.get(id);
  lastDeadLetter = async () => this.#letters.last;
  keysWithDeadLetters = async (filter: DeadLetterFilter, keys: readonly string[], upTo: number) =>
    this.#letters.keysOf(filter, keys, upTo);
  countDeadLetters = async () => this.#letters.counts();
  summarizeDeadLetters = async (filter: DeadLetterFilter) => this.#letters.summarize(filter);
  amendDeadLetter = async (id: string, was: string, change: DeadLetterChange) => this.#letters.amend(id, was, change);
  claimDeadLetterKeys = async (keys: readonly string[], owner: string, forMs: number) =>
    this.#letters.claim(keys, owner, forMs, this.#clock.monotonic());
  releaseDeadLetterKeys = async (keys: readonly string[], owner: string) => this.#letters.release(keys, owner);
  removeDeadLetters = async (ids: readonly string[]) => this.#letters.remove(ids);

  #row(type: string, key: string): ActorRow {
    const row = this.#rows.get(type)?.get(key) as Row;
    return { key, state: row.state, version: row.version, schemaVersion: row.schemaVersion ?? 1 };
  }
}

function byPlace(a: TimerPlace, b: TimerPlace): number {
  return a.dueAt - b.dueAt || compareText(a.type, b.type) || compareText(a.key, b.key) || compareText(a.name, b.name);
}

function page(keys: readonly string[], limit: number, after: string | undefined): readonly string[] {
  const rest = after === undefined ? keys : keys.filter((key) => compareText(key, after) > 0);
  return rest.toSorted(compareText).slice(0, limit);
}

function toReply({ id, hash, reply }: StoredReply): StoredReply {
  return { id, hash, reply };
}

function timerId({ type, key, name }: ActorId & { readonly name: string }): string {
  return `${type}/${key}\u0000${name}`;
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
