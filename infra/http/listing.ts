import * as v from "valibot";
import { describedBy } from "./json-schema.ts";

/** Entries of one page, at most. */
export const MAX_PAGE = 200;
const DEFAULT_PAGE = 50;
const MAX_CURSOR = 200;
/** Actors looked at for one page, at most: bounds what a filter that fits nothing costs. */
export const MAX_SCANNED = 2_000;

/** `limit` and `cursor` of a list, as they come in a query. */
export const PageQuery = {
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[0-9]{1,6}$/, "must be a whole number"),
      describedBy({ type: "integer", minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE }),
      v.transform(Number),
      v.minValue(1),
      v.maxValue(MAX_PAGE),
    ),
    String(DEFAULT_PAGE),
  ),
  cursor: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_CURSOR))),
};

/** A page of a list. `next` is the cursor of the next one; `null` at the end. */
export const pageOf = <T extends v.GenericSchema>(item: T) =>
  v.object({ items: v.array(item), next: v.nullable(v.string()) });

/** One page of what {@link readPage} reads. */
export interface Page<T> {
  readonly items: T[];
  readonly next: string | null;
}

/**
 * Reads a page of a filtered list: goes through a keyed listing until `limit` entries fit, or {@link MAX_SCANNED} were
 * looked at. A page may so be short, even empty, and still have a `next`: the end is `next: null` and nothing else.
 * @param keep the entry to show, or `undefined` to leave it out.
 */
export async function readPage<Row extends { readonly key: string }, T>(
  list: (page: { limit: number; after?: string }) => Promise<readonly Row[]>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  keep: (row: Row) => T | undefined,
): Promise<Page<T>> {
  const items: T[] = [];
  let after = cursor;
  for (let scanned = 0; scanned < MAX_SCANNED;) {
    const rows = await list({ limit: MAX_PAGE, ...(after === undefined ? {} : { after }) });
    for (const row of rows) {
      if (items.length === limit) return { items, next: after ?? null };
      after = row.key;
      const item = keep(row);
      if (item !== undefined) items.push(item);
    }
    if (rows.length < MAX_PAGE) return { items, next: null };
    scanned += rows.length;
  }
  return { items, next: after ?? null };
}

/**
 * A page of a list that is at hand as a whole, in the order it has.
 * @param keyOf what tells an entry from the others; of the last one of a page it is the cursor. One whose entry has gone
 * meanwhile leads to an empty page.
 */
export function pageOfAll<T>(
  all: readonly T[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  keyOf: (item: T) => string,
): Page<T> {
  const cursorOf = (item: T): string => keyOf(item).slice(0, MAX_CURSOR);
  const from = cursor === undefined ? 0 : all.findIndex((item) => cursorOf(item) === cursor) + 1;
  if (cursor !== undefined && from === 0) return { items: [], next: null };
  const items = all.slice(from, from + limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && from + limit < all.length ? cursorOf(last) : null };
}
