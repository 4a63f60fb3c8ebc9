import type { Store } from "../ports/store.ts";

/** How far a replay over several stores has got. */
export interface ReplayBookmark {
  /** The store it is in. */
  readonly index: number;
  /** The position in it that was dealt with last. */
  readonly after: number;
  /** Of each store, the last position when the replay began. */
  readonly upTo: readonly number[];
}

/** A replay of what the stores hold now. */
export async function firstBookmark(stores: readonly Store[]): Promise<ReplayBookmark> {
  return { index: 0, after: 0, upTo: await Promise.all(stores.map((store) => store.lastDeadLetter())) };
}

/** `1.20.7,93`: in the second of two stores, behind position 20. */
export function writeBookmark({ index, after, upTo }: ReplayBookmark): string {
  return `${index}.${after}.${upTo.join(",")}`;
}

/** @throws {TypeError} no replay over so many stores wrote it. */
export function readBookmark(text: string, stores: number): ReplayBookmark {
  const match = /^(\d{1,4})\.(\d{1,16})\.(\d{1,16}(?:,\d{1,16})*)$/.exec(text);
  const upTo = (match?.[3] ?? "").split(",").map(Number);
  if (match === null || Number(match[1]) >= stores || upTo.length !== stores)
    throw new TypeError(`Cannot go on from "${text}": no step of a replay gave it`);
  return { index: Number(match[1]), after: Number(match[2]), upTo };
}
