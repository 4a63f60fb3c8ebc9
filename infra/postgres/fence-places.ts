import type { Fence } from "#runtime";

/** Pages. The rows of all partitions fit into one; further out they are only where old versions fill the pages before. */
const FAR = 16;

/**
 * Where in its table the row of each partition lies that this process wrote last.
 *
 * Each commit overwrites the rows of its partitions. While a transaction stays open anywhere in the database, no
 * overwritten version can be removed, and a lookup by id has to pass all of them: after minutes, hundreds of pages for
 * one row. The place leads to the newest version at once. It is a hint: whoever else writes the row moves it, and then
 * the row has to be looked up by its id. Nearly always no version stays, and the id is the shorter way.
 */
export class FencePlaces {
  /** The last page that the last commit wrote to. */
  #page = 0;
  readonly #places = new Map<number, string>();

  /** The places of these rows, as `(page,item)`; `undefined` where the id is the shorter way, or one is not known. */
  of(fences: readonly Fence[]): readonly string[] | undefined {
    if (this.#page < FAR) return undefined;
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
