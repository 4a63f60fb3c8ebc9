import type { Fence } from "#runtime";

/** Rows of partitions that a page is given when the store is made; the rest of it is for their next versions. */
const PAGE_ROWS = 27;
/** Pages behind those: the rows lie there only where old versions fill the pages before. */
const FAR = 14;

/**
 * Where in its table the row of each partition lies that this process wrote last.
 *
 * Each commit overwrites the rows of its partitions. While a transaction stays open anywhere in the database, no
 * overwritten version can be removed, and a lookup by id has to pass all of them: after minutes, hundreds of pages for
 * one row. The place leads to the newest version at once. It is a hint: whoever else writes the row moves it, and then
 * the row has to be looked up by its id. Nearly always no version stays, and the id is the shorter way.
 */
export class FencePlaces {
  readonly #far: number;
  /** The last page that the last commit wrote to. */
  #page = 0;
  readonly #places = new Map<number, string>();

  /** @param partitions how many rows there are. */
  constructor(partitions: number) {
    this.#far = FAR + Math.floor(partitions / PAGE_ROWS);
  }

  /** The places of these rows, as `(page,item)`; `undefined` where the id is the shorter way, or one is not known. */
  of(fences: readonly Fence[]): readonly string[] | undefined {
    if (this.#page < this.#far) return undefined;
    const places: string[] = [];
    for (const { partition } of fences) {
      const place = this.#places.get(partition);
      if (place === undefined) return undefined;
      places.push(place);
    }
    return places;
  }

  /** Takes what a commit tells: `5 (0,12);6 (0,13)`. */
  learn(told: string | null | undefined): void {
    let page = 0;
    for (const entry of told?.split(";") ?? []) {
      const space = entry.indexOf(" ");
      page = Math.max(page, Number.parseInt(entry.slice(space + 2)));
      this.#places.set(Number(entry.slice(0, space)), entry.slice(space + 1));
    }
    this.#page = page;
  }

  forget(fences: readonly Fence[]): void {
    for (const { partition } of fences) this.#places.delete(partition);
  }
}
