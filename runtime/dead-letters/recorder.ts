import type { DeadLetter, Store } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { StoreLog } from "../telemetry/store-log.ts";

/** Writes the dead letters of one store. */
export class DeadLetterRecorder {
  readonly #store: Store;
  readonly #log: StoreLog;
  readonly #metrics: NodeMetrics | undefined;

  constructor(store: Store, log: StoreLog, metrics: NodeMetrics | undefined) {
    this.#store = store;
    this.#log = log;
    this.#metrics = metrics;
  }

  /**
   * Keeps dead letters durably, logs and counts each.
   * @throws what the store throws: nothing is kept then.
   */
  async record(letters: readonly DeadLetter[]): Promise<void> {
    await this.#store.recordDeadLetters(letters);
    for (const letter of letters) {
      this.#log.letterKept(letter);
      this.#metrics?.buried(letter.reason);
    }
  }
}
