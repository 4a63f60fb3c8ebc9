import { type Clock, systemClock } from "../base/clock.ts";
import { compareText } from "../base/text-order.ts";
import { eventOfJournal } from "../journal/event-of-journal.ts";
import { PARTITION_COUNT } from "../message/address.ts";
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
  FencedError,
  type Fence,
  type Grant,
  type IndexedFields,
  type IndexFill,
  type IndexQuery,
  type JournalRecord,
  type KnownSink,
  type LoadedActor,
  type NodeCard,
  type NodeContracts,
  type NodeId,
  type NodeRow,
  type OutboxKind,
  type OutboxRecord,
  type Ownership,
  type PausedActor,
  type ReplyKey,
  SENT_IDS,
  type Store,
  type StoredReply,
  type TimerPlace,
  type TimerRow,
} from "../ports/store.ts";
import { MemoryIndex } from "./memory-index.ts";
import { MemoryLetters } from "./memory-letters.ts";

interface Slot {
  owner: NodeId | undefined;
  epoch: number;
  commitSeq: number;
  lastSeq: number;
}

interface Lease {
  readonly until: number;
  readonly since: number;
  readonly card: NodeCard | undefined;
}

interface Row {
  state: string;
  version: number;
  schemaVersion: number;
}

/** Nodes that have been gone for this long are forgotten. */
const FORGET_MS = 86_400_000;

/**
 * A store in memory: the promises of the Postgres store, except that nothing outlives the process. Several nodes in one
 * process may share it. For tests and for the edge.
 *
 * @param name how it is called in logs. Default: `memory`.
 * @param clock what leases are counted by. Default: the machine's.
 *
 * @example
 * ```ts
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() } });
 * await node.ref(Counter, "visits").add({ by: 1 }); // 1
 * await node.stop();
 * ```
 */
export function memory(name = "memory", clock: Clock = systemClock): Store {
  return new MemoryStore(name, clock);
}

class MemoryStore implements Store {
  readonly name: string;
  readonly #clock: Clock;
  readonly #slots: Slot[] = Array.from({ length: PARTITION_COUNT }, () => ({
    owner: undefined,
    epoch: 0,
    commitSeq: 0,
    lastSeq: 0,
  }));
  readonly #leases = new Map<NodeId, Lease>();
  readonly #rows = new Map<string, Map<string, Row>>();
  readonly #replies = new Map<string, Map<string, StoredReply & { readonly at: number }>>();
  readonly #timers = new Map<string, TimerRow>();
  readonly #outbox: OutboxRecord[][] = Array.from({ length: PARTITION_COUNT }, () => []);
  readonly #journal = new Map<string, JournalRecord[]>();
  readonly #cursors = new Map<string, CursorRow>();
  readonly #sinks = new Map<string, { readonly kind: OutboxKind; readonly seen: number }>();
  readonly #index = new MemoryIndex();
  readonly #pauses = new Map<string, PausedActor>();
  readonly #begun = new Map<string, BegunMessage>();
  readonly #letters = new MemoryLetters();

  constructor(name: string, clock: Clock) {
    this.name = name;
    this.#clock = clock;
  }

  open = (): Promise<void> => Promise.resolve();
  close = (): Promise<void> => Promise.resolve();
  check = (): Promise<void> => Promise.resolve();

  async heartbeat(node: NodeId, leaseMs: number, card?: NodeCard): Promise<readonly Ownership[]> {
    const known = this.#leases.get(node);
    const contracts = card?.contracts ?? known?.card?.contracts;
    this.#leases.set(node, {
      until: this.#clock.monotonic() + leaseMs,
      since: known?.since ?? this.#clock.now(),
      card: card === undefined ? known?.card : { ...card, ...(contracts === undefined ? {} : { contracts }) },
    });
    return this.#slots.map((slot, partition) => ({ partition, owner: this.#liveOwner(slot), epoch: slot.epoch }));
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return this.#liveNodes().map(([id, { until, since, card }]) => {
      const { contracts: _, ...said } = card ?? {};
      return {
        id,
        card: card === undefined ? undefined : (said as Omit<NodeCard, "contracts">),
        since,
        leaseLeftMs: until - this.#clock.monotonic(),
      };
    });
  }

  async contracts(): Promise<readonly NodeContracts[]> {
    return this.#liveNodes().flatMap(([node, { card }]) =>
      card?.contracts === undefined ? [] : [{ node, contracts: card.contracts }],
    );
  }

  async acquire(node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]> {
    const now = this.#clock.monotonic(); // one moment for all: a lease that ends meanwhile must not split the answer
    const free = this.#slots.flatMap((slot, partition) =>
      this.#liveOwner(slot, now) === undefined && (partitions?.includes(partition) ?? true) ? [partition] : [],
    );
    return free.map((partition) => {
      const abandoned = this.#slot(partition).owner !== undefined;
      return { ...this.#grant(node, partition), abandoned };
    });
  }

  async release(node: NodeId, partitions: readonly Fence[]): Promise<void> {
    for (const fence of partitions) if (this.#holds(node, fence)) this.#slot(fence.partition).owner = undefined;
  }

  async settle(node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]> {
    return partitions
      .filter(({ partition }) => this.#slot(partition).owner === node)
      .map(({ partition }) => this.#grant(node, partition));
  }

  async load(actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
    return actors.map(({ type, key }) => {
      const row = this.#rows.get(type)?.get(key);
      const replies = [...(this.#replies.get(`${type}/${key}`)?.values() ?? [])].map(toReply);
      const { state, version = 0, schemaVersion = 1 } = row ?? {};
      return { state, version, schemaVersion, replies, repliesComplete: true };
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
    this.#check(node, fences);
    const rows = this.#rows.get(fill.type);
    this.#index.fill(fences[0]?.partition ?? 0, fill, (key) => rows?.get(key)?.state);
    if (fill.complete !== undefined)
      this.#index.tidy(fences, fill.type, fill.complete, (key) => rows?.has(key) === true);
    this.#index.record(fences, fill.type, fill.complete);
  }

  async commit(node: NodeId, batch: CommitBatch): Promise<void> {
    this.#check(node, batch.fences);
    const taken = batch.outbox.find(({ partition, seq }) => seq <= this.#slot(partition).lastSeq);
    if (taken !== undefined)
      throw new CommitRefusedError(`Cannot write record ${taken.seq} of partition ${taken.partition} twice`);
    for (const { partition, lastSeq } of batch.fences) {
      const slot = this.#slot(partition);
      slot.commitSeq++;
      slot.lastSeq = lastSeq;
    }
    for (const { type, key, state, version, schemaVersion = 1 } of batch.states) {
      const rows = getOrMake(this.#rows, type, () => new Map<string, Row>());
      if (state === undefined) rows.delete(key);
      else rows.set(key, { state, version, schemaVersion });
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
    for (const record of batch.outbox) this.#outbox[record.partition]?.push(record);
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

  async cursors(partitions: readonly number[]): Promise<readonly CursorRow[]> {
    const wanted = new Set(partitions);
    return [...this.#cursors.values()].filter((cursor) => wanted.has(cursor.partition));
  }

  async saveCursors(cursors: readonly CursorRow[]): Promise<void> {
    for (const cursor of cursors) {
      const id = `${cursor.sink}/${cursor.partition}`;
      if (cursor.seq > (this.#cursors.get(id)?.seq ?? 0)) this.#cursors.set(id, cursor);
    }
  }

  async readOutbox(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    return positions.flatMap(({ partition, after }) =>
      (this.#outbox[partition] ?? []).filter((record) => record.kind === kind && record.seq > after).slice(0, limit),
    );
  }

  async registerSinks(sinks: readonly KnownSink[], at: number): Promise<void> {
    for (const { name, kind } of sinks) this.#sinks.set(name, { kind, seen: at });
  }

  async forgetSinks(before: number): Promise<readonly string[]> {
    const gone = [...this.#sinks].filter(([, { seen }]) => seen < before).map(([name]) => name);
    for (const name of gone) {
      this.#sinks.delete(name);
      for (const [id, { sink }] of this.#cursors) if (sink === name) this.#cursors.delete(id);
    }
    return gone;
  }

  async oldestAhead(sink: string, kind: OutboxKind): Promise<number | undefined> {
    const ahead = this.#outbox.flatMap((records, partition) => {
      const passed = this.#cursors.get(`${sink}/${partition}`)?.seq ?? 0;
      return records.filter((record) => record.kind === kind && record.seq > passed).map(({ at }) => at);
    });
    return ahead.length === 0 ? undefined : ahead.reduce((a, b) => Math.min(a, b));
  }

  async pruneOutbox(partitions: readonly number[], before: number, limit: number): Promise<number> {
    let pruned = 0;
    for (const partition of partitions) {
      const passed = new Map<OutboxKind, number>();
      for (const [name, { kind }] of this.#sinks) {
        const seq = this.#cursors.get(`${name}/${partition}`)?.seq ?? 0;
        passed.set(kind, Math.min(passed.get(kind) ?? seq, seq));
      }
      this.#outbox[partition] = (this.#outbox[partition] ?? []).filter(({ kind, seq, at }) => {
        const goes = pruned < limit && at < before && seq <= (passed.get(kind) ?? 0);
        if (goes) pruned++;
        return !goes;
      });
    }
    return pruned;
  }

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
    return [...this.#begun.values()].filter(({ partition }) => partitions.includes(partition));
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

  #slot(partition: number): Slot {
    return this.#slots[partition] as Slot;
  }

  #row(type: string, key: string): ActorRow {
    return { key, ...(this.#rows.get(type)?.get(key) as Row) };
  }

  #check(node: NodeId, fences: readonly Fence[]): void {
    if (!fences.every((fence) => this.#holds(node, fence)))
      throw new FencedError("a partition is held by another node");
  }

  #liveOwner({ owner }: Slot, now = this.#clock.monotonic()): NodeId | undefined {
    return owner !== undefined && (this.#leases.get(owner)?.until ?? 0) > now ? owner : undefined;
  }

  #liveNodes(): [NodeId, Lease][] {
    const now = this.#clock.monotonic();
    for (const [id, { until }] of this.#leases) if (until <= now - FORGET_MS) this.#leases.delete(id);
    return [...this.#leases].filter(([, { until }]) => until > now).toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  #holds(node: NodeId, { partition, epoch }: Fence): boolean {
    const slot = this.#slot(partition);
    return slot.owner === node && slot.epoch === epoch;
  }

  #grant(node: NodeId, partition: number): Grant {
    const slot = this.#slot(partition);
    slot.owner = node;
    slot.epoch++;
    return { partition, epoch: slot.epoch, commitSeq: slot.commitSeq, lastSeq: slot.lastSeq };
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
