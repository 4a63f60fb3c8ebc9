import { stepOf } from "#infra/json/pointer.ts";
import type { Resource } from "./document.ts";
import { MAX_MISFITS, type Misfit, shown } from "./misfit.ts";

/** Where a value stands in the data. `undefined`: it is the whole. */
export type Place = { readonly around: Place; readonly step: string | number } | undefined;

/** Whether a value fits a subschema. Tells the run where it does not, and `seen` what of the value was looked at. */
export type Check = (value: unknown, place: Place, run: Run, seen: Seen | undefined) => boolean;

/** A check would take more work, or more nesting, than it may. */
export class TooMuchWorkError extends Error {
  override readonly name = "TooMuchWorkError";
}

/** Subschemas inside each other, at most: what a stack takes with ease. */
const MAX_DEPTH = 400;

/** One check of one value: what it has cost, and what was found. */
export class Run {
  /** At most {@link MAX_MISFITS}. */
  readonly misfits: Misfit[] = [];
  /** The resources that lead here, the outermost first. */
  readonly scope: Resource[] = [];
  #left: number;
  #depth = 0;
  #muted = 0;

  /** @param steps A step is one keyword at one value, or one character at one place of a pattern. */
  constructor(steps: number) {
    this.#left = steps;
  }

  /** @throws {TooMuchWorkError} */
  spend(steps: number): void {
    if ((this.#left -= steps) < 0) throw new TooMuchWorkError();
  }

  /** @throws {TooMuchWorkError} */
  enter(resource: Resource): void {
    if (++this.#depth > MAX_DEPTH) throw new TooMuchWorkError();
    this.spend(1);
    this.scope.push(resource);
  }

  leave(): void {
    this.#depth--;
    this.scope.pop();
  }

  /** Tells of a place that does not fit. Always `false`. */
  misfit(place: Place, message: string, expected: string, value: unknown): false {
    if (this.#muted === 0 && this.misfits.length < MAX_MISFITS)
      this.misfits.push({ path: pathOf(place), message, expected, received: shown(value) });
    return false;
  }

  /** Whether a value fits, where it is no fault if it does not. */
  quietly(check: Check, value: unknown, place: Place, seen: Seen | undefined): boolean {
    this.#muted++;
    const fits = check(value, place, this, seen);
    this.#muted--;
    return fits;
  }
}

/** A place as a JSON pointer. */
export function pathOf(place: Place): string {
  const steps: string[] = [];
  for (let at = place; at !== undefined; at = at.around) steps.push(stepOf(String(at.step)));
  return steps.reverse().reduce((path, step) => `${path}/${step}`, "");
}

/** What of an object or list was looked at: what `unevaluated…` leaves out. Only what fitted counts. */
export class Seen {
  readonly names = new Set<string>();
  allNames = false;
  /** Items before this one. */
  items = 0;
  /** Further items. */
  readonly indexes = new Set<number>();

  add(other: Seen): void {
    for (const name of other.names) this.names.add(name);
    for (const index of other.indexes) this.indexes.add(index);
    this.allNames ||= other.allNames;
    this.items = Math.max(this.items, other.items);
  }
}
