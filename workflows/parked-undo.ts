import { ApplicationFailure, condition, log } from "@temporalio/workflow";
import type { UndoFailure, UndoStack } from "./undo-stack.ts";

/**
 * Undos that may be refused for good: what could not be done is parked, and tried again whenever somebody asks.
 *
 * K1 `run` returns only when everything is undone: an order never comes to its end while money or stock is amiss.
 */
export class ParkedUndo {
  #failures: readonly UndoFailure[] = [];
  #asked = 0;
  #rounds = 0;

  /** What waits; none while nothing does. */
  get failures(): readonly UndoFailure[] {
    return this.#failures;
  }

  /** Runs the undos until all are done. `parked` is told of what waits, before each wait. */
  async run(
    undo: UndoStack,
    parked: (failures: readonly UndoFailure[], round: number) => Promise<unknown>,
  ): Promise<void> {
    for (;;) {
      const failures = await undo.run();
      this.#failures = failures;
      this.#rounds++;
      if (failures.length === 0) return;
      await parked(failures, this.#rounds);
      log.warn("undo:parked", { failures });
      const asked = this.#asked;
      await condition(() => this.#asked > asked);
    }
  }

  /** Has what waits tried again; returns what waits afterwards. */
  async retry(): Promise<readonly UndoFailure[]> {
    const round = this.#rounds;
    this.#asked++;
    await condition(() => this.#rounds > round);
    return this.#failures;
  }
}

/** The validator of `retryUndo`. @throws {ApplicationFailure} `nothing_to_retry` where no undo waits. */
export function refuseRetry(parked: ParkedUndo): void {
  if (parked.failures.length === 0) throw ApplicationFailure.nonRetryable("No undo waits", "nothing_to_retry");
}
