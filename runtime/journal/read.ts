import type { AnyActorType } from "../actor/any-actor.ts";
import type { ActorRow, Store } from "../ports/store.ts";
import { loadActors } from "./load.ts";

/** A committed event of a journaled actor. */
export interface JournalEntry {
  /** From 1, without gaps. */
  readonly seq: number;
  /** The event's id, as the brokers have it. */
  readonly id: string;
  /** As in `order.placed.v1`; `$destroyed` where the actor was destroyed. */
  readonly type: string;
  readonly data: unknown;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A part of a journal. */
export interface JournalPage {
  /** Entries behind this number. Default 0: from the first. */
  readonly after?: number;
  /** Default 100, at most 1,000. */
  readonly limit?: number;
}

/** @throws {TypeError} when the type keeps no journal. */
export function mustKeepJournal(type: AnyActorType): void {
  if (type.options.journal === undefined) {
    throw new TypeError(`Cannot read the journal of ${type.type} as it keeps none: set "journal" in its definition`);
  }
}

/** A page of an actor's journal. */
export async function readEntries(
  store: Store,
  type: AnyActorType,
  key: string,
  { after = 0, limit = 100 }: JournalPage,
): Promise<readonly JournalEntry[]> {
  mustKeepJournal(type);
  const rows = await store.readJournal([{ type: type.type, key, after }], Math.max(1, Math.min(limit, 1_000)));
  return rows.map(({ seq, id, name, data, at }) => ({ seq, id, type: name, data: JSON.parse(data) as unknown, at }));
}

/** Snapshots with the events after them applied. */
export async function upToDate(
  store: Store,
  type: AnyActorType,
  rows: readonly ActorRow[],
): Promise<readonly ActorRow[]> {
  const actors = rows.map(({ key }) => ({ type: type.type, key }));
  const loaded = await loadActors(store, () => type, actors);
  const broken = loaded.find(({ failure }) => failure !== undefined);
  if (broken?.failure !== undefined) throw broken.failure;
  return loaded.flatMap(({ state, version, schemaVersion }, i) =>
    state === undefined ? [] : [{ key: actors[i]?.key ?? "", state, version, schemaVersion }],
  );
}
