import { CancellationScope, log } from "@temporalio/workflow";

/**
 * The undos of a saga, newest first.
 *
 * U1 An undo is registered before its step runs: a step that failed half-way, or whose answer was lost, is undone too.
 *    So every undo must do nothing where there is nothing to undo.
 * U2 `run` goes to the end, also when the workflow is cancelled meanwhile and when one of the undos is refused for good.
 */
export class UndoStack {
  readonly #undos: { readonly name: string; readonly undo: () => Promise<unknown> }[] = [];

  /** Registers an undo; call it before the step (U1). */
  add(name: string, undo: () => Promise<unknown>): void {
    this.#undos.push({ name, undo });
  }

  /** Runs all undos one after the other and forgets them. Returns the names of those that failed for good. */
  async run(): Promise<readonly string[]> {
    const failed: string[] = [];
    await CancellationScope.nonCancellable(async () => {
      for (let entry = this.#undos.pop(); entry; entry = this.#undos.pop()) {
        try {
          await entry.undo();
        } catch (error) {
          failed.push(entry.name);
          log.error("undo:failed", { undo: entry.name, error: String(error) });
        }
      }
    });
    return failed;
  }
}
