/** What the themes of the store suite share: a store with its partitions held, and rows to write. */
import {
  type ActorId,
  type CommitBatch,
  type Fence,
  FencedError,
  type Grant,
  type IndexQuery,
  type OutboxRecord,
  type StateWrite,
  type Store,
  type StoredReply,
  type TimerRow,
} from "../../ports/store.ts";

/** The parts of a test runner that the suite needs; `bun:test` fits. */
export interface TestTools {
  test(name: string, run: () => Promise<void>): void;
  expect(value: unknown): {
    toEqual(expected: unknown): void;
    toBe(expected: unknown): void;
    toBeInstanceOf(expected: unknown): void;
  };
}

/** A store and what has to be cleaned up after it. */
export interface StoreFixture extends AsyncDisposable {
  readonly store: Store;
}

/** A store that outlives its process. */
export interface DurableStoreFixture extends StoreFixture {
  /** One more store on the same data, as another process would have it that asks for so many partitions. */
  another(partitions?: number): Store;
}

export type Grants = ReadonlyMap<number, Grant>;

/** Declares a test of a theme. The store is open, and node `a` holds all partitions under `grants`. */
export type Scenario<Fixture extends StoreFixture = StoreFixture> = (
  title: string,
  run: (store: Store, grants: Grants, fixture: Fixture) => Promise<void>,
) => void;

/** A theme of the suite: declares its scenarios. */
export type Theme<Fixture extends StoreFixture = StoreFixture> = (
  scenario: Scenario<Fixture>,
  expect: TestTools["expect"],
) => void;

export const K: ActorId = { type: "t", key: "k" };

/** Quotes, backslashes, a line break, what SQL and array literals use, two planes of Unicode. */
export const AWKWARD = `it's "quoted" \\ {a,b} $1 %s; -- é ü 漢字 😀`;
/** As JSON, with escapes a store must not undo: the text that was written is read back. */
export const AWKWARD_JSON = `{"z":1,"a":"line\\nbreak \\u0000 \\ud83d\\ude00 \\\\ \\" '","n":1e21,"${"k".repeat(3)}":[]}`;

export function fenceOf(grants: Grants, partition: number): Fence {
  return { partition, epoch: grants.get(partition)?.epoch ?? 0 };
}

/** An empty batch of these partitions; spread it and replace what is to be written. */
export function batch(grants: Grants, ...partitions: readonly number[]): CommitBatch {
  const fences = partitions.map((partition) => ({ ...fenceOf(grants, partition), lastSeq: 0 }));
  return { fences, states: [], replies: [], outbox: [], timers: [], index: [] };
}

export function state(key: string, partition = 1, text = "{}"): StateWrite {
  return { type: "t", key, partition, version: 1, state: text };
}

export function timer(name: string, dueAt: number, partition = 1): TimerRow {
  return { ...K, partition, name, dueAt, message: "m", input: undefined };
}

export function reply(id: string, at = 1): CommitBatch["replies"][number] {
  return { ...K, id, hash: "h", reply: undefined, partition: 1, at };
}

export function record(partition: number, seq: number): OutboxRecord {
  return {
    partition,
    seq,
    kind: "event",
    id: `evt_${partition}_${seq}`,
    name: "t.happened.v1",
    actor: K,
    target: "k",
    body: '{"z":1,"a":"\\u0000"}',
    at: 7,
    traceparent: undefined,
  };
}

/** Records `from` to `to` of a partition, with the batch that writes them. */
export function outboxBatch(grants: Grants, partition: number, from: number, to: number): CommitBatch {
  const outbox = Array.from({ length: to - from + 1 }, (_, i) => record(partition, from + i));
  return { ...batch(grants), outbox, fences: [{ ...fenceOf(grants, partition), lastSeq: to }] };
}

/** Commits one row of every kind for {@link K} in partition 1, under the fence that is given. */
export function everyKind(fences: CommitBatch["fences"]): CommitBatch {
  return {
    fences,
    states: [{ ...K, partition: 1, version: 9, state: '{"new":1}' }],
    replies: [reply("new")],
    outbox: [record(1, 1)],
    timers: [timer("new", 1)],
    pauses: [{ ...K, partition: 1, since: 1, reason: "new" }],
    index: [{ ...K, partition: 1, field: "f", value: "new" }],
  };
}

/** Which kinds of row there are of {@link K} in partition 1. Its index must be complete for `f`. */
export async function kindsWritten(store: Store): Promise<string[]> {
  const [actor] = await store.load([K]);
  const found = await store.where(query({ field: "f", values: ["new"] }));
  const kinds = {
    state: actor?.state === '{"new":1}',
    reply: (await replyOf(store, K, "new")) !== undefined,
    outbox: (await store.readOutbox("event", [{ partition: 1, after: 0 }], 10)).some(({ id }) => id === "evt_1_1"),
    timer: (await store.timersOf(K)).some(({ name }) => name === "new"),
    pause: (await store.paused([1])).some(({ reason }) => reason === "new"),
    index: found?.length === 1,
  };
  return Object.entries(kinds).flatMap(([kind, there]) => (there ? [kind] : []));
}

export const EVERY_KIND = ["state", "reply", "outbox", "timer", "pause", "index"];

/** A query of type `t`, whose index is complete for `f`. */
export function query(...conditions: IndexQuery["conditions"]): IndexQuery {
  return { type: "t", fields: ["f"], conditions, limit: 100, after: undefined };
}

/** Declares the index of type `t` complete for these fields, by default `f`, in every partition. */
export async function completeIndex(store: Store, grants: Grants, complete = ["f"]): Promise<void> {
  const fences = [...grants.keys()].map((partition) => fenceOf(grants, partition));
  await store.fillIndex("a", fences, { type: "t", actors: [], complete });
}

export async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

export async function isFenced(promise: Promise<unknown>): Promise<boolean> {
  return (await failure(promise)) instanceof FencedError;
}

/** The stored reply of one message id. */
export async function replyOf(store: Store, { type, key }: ActorId, id: string): Promise<StoredReply | undefined> {
  return (await store.findReplies([{ type, key, id }]))[0];
}
