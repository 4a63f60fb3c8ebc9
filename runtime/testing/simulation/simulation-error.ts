import { relevantLines } from "./format-history.ts";
import type { History } from "./history.ts";
import { runningFile } from "./host-settings.ts";
import type { Violation } from "./violation.ts";

/** A seed under which a promise or an invariant does not hold. The message says which, shows how, and how to see it again. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
  readonly seed: number;
  // Not fields: a test runner that prints the fields of an error would bury the message.
  readonly #violations: readonly Violation[];
  readonly #history: History;

  constructor(seed: number, violations: readonly Violation[], history: History) {
    const [first] = violations;
    const lines = first === undefined ? [] : relevantLines(history, first);
    const more = violations.length > 1 ? [`and ${violations.length - 1} more, the next: ${title(violations[1])}`] : [];
    super(
      [
        `Cannot pass seed ${seed}: ${title(first)}`,
        ...more,
        "",
        ...lines,
        "",
        `To see it again: TROUPE_SEED=${seed} bun test ${runningFile()}`,
      ].join("\n"),
    );
    this.seed = seed;
    this.#violations = violations;
    this.#history = history;
  }

  /** All that does not hold, in the order in which it shows. */
  get violations(): readonly Violation[] {
    return this.#violations;
  }

  get history(): History {
    return this.#history;
  }
}

function title(violation: Violation | undefined): string {
  return violation === undefined ? "" : `${violation.promise} ${violation.kind}: ${violation.message}`;
}
