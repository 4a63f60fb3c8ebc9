import type { AnyActorType } from "../actor/any-actor.ts";
import { readState } from "../actor/read-state.ts";
import { TroupeError } from "../message/errors.ts";
import type { ActorRow, Store } from "../ports/store.ts";
import { fieldsOf, readFilter } from "./filter.ts";

/** What `list` yields: a committed actor. */
export interface ActorSummary<State> {
  readonly key: string;
  readonly state: State;
  readonly version: number;
}

/** Which part of a list is asked for. */
export interface Page {
  /** At most this many rows. Default 50, at most 200. */
  readonly limit?: number;
  /** The key of the last row before. */
  readonly after?: string;
}

/** How many rows a page asks the store for. */
export function limitOf({ limit = 50 }: Page): number {
  return Math.max(1, Math.min(Math.floor(limit) || 1, 200));
}

/** A stored actor as lists show it: its state in the newest schema version. */
export function toSummary(type: AnyActorType, { key, state, version, schemaVersion }: ActorRow): ActorSummary<unknown> {
  return { key, version, state: JSON.parse(readState(type, key, state, schemaVersion)) };
}

/**
 * The committed actors of a type that fit a filter, in order of their key. The index finds them; the state decides, as
 * long strings are cut in the index.
 *
 * @throws {TypeError} the filter names a field that is not indexed, or asks for what no field can hold.
 * @throws {TroupeError} `index_incomplete` while actors stored before a field was indexed are being added.
 */
export async function findWhere(
  store: Store,
  type: AnyActorType,
  filter: Readonly<Record<string, unknown>>,
  page: Page,
): Promise<readonly ActorSummary<unknown>[]> {
  const { conditions, matches } = readFilter(type, filter);
  const limit = limitOf(page);
  const found: ActorSummary<unknown>[] = [];
  for (let after = page.after; ;) {
    const rows =
      conditions.length === 0
        ? await store.list(type.type, { limit, after })
        : await store.where({ type: type.type, fields: fieldsOf(type), conditions, limit, after });
    if (rows === undefined) {
      throw new TroupeError(
        "index_incomplete",
        `Cannot filter ${type.type} as its index is still being filled: indexed are ${fieldsOf(type).join(", ")}`,
      );
    }
    found.push(...rows.map((row) => toSummary(type, row)).filter(({ state }) => matches(state)));
    if (rows.length < limit || found.length >= limit) return found.slice(0, limit);
    after = rows.at(-1)?.key;
  }
}
