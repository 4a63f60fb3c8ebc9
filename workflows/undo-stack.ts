import { ActivityFailure, ApplicationFailure, CancellationScope, log } from "@temporalio/workflow";

/** An undo that was given up: refused for good, or not done in its time. `reason` as in `refund_refused`. */
export interface UndoFailure {
  readonly undo: string;
  readonly reason: string;
}

interface Undo {
  readonly name: string;
  readonly undo: () => Promise<unknown>;
}

/**
 * The undos of a saga, newest first.
 *
 * U1 An undo is registered before its step runs: a step that failed half-way, or whose answer was lost, is undone too.
 *    So every undo must do nothing where there is nothing to undo.
 * U2 `run` goes to the end, also when the workflow is cancelled meanwhile and when one of the undos is refused for good.
 * U3 What was refused for good stays registered, and is tried again by the next `run`: it is never forgotten.
 */
export class UndoStack {
  #undos: Undo[] = [];

  /** Registers an undo; call it before the step (UndoStack.U1). */
  add(name: string, undo: () => Promise<unknown>): void {
    this.#undos.push({ name, undo });
  }

  /** Runs all undos one after the other. Returns those that failed for good, which stay registered (UndoStack.U3). */
  async run(): Promise<readonly UndoFailure[]> {
    const failures: UndoFailure[] = [];
    const left: Undo[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let entry = this.#undos.pop(); entry; entry = this.#undos.pop()) {
        try {
          await entry.undo();
        } catch (error) {
          failures.push({ undo: entry.name, reason: failureReason(error) });
          left.unshift(entry);
          log.error("undo:failed", { undo: entry.name, error: String(error) });
        }
      }
    });
    this.#undos = left;
    return failures;
  }
}

/** The `type` of the failure at the root: an actor's refusal, or the code of what went wrong. */
export function failureReason(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) return cause.type ?? "failed";
  return cause instanceof Error && cause.name === "TimeoutFailure" ? "timed_out" : "failed";
}
