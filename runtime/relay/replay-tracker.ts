import type { PublishResult } from "../ports/sink.ts";
import { CursorTracker } from "./cursor-tracker.ts";

/** Stands in for a cursor while the record of a dead letter is published again: that record has its cursor behind it. */
export class ReplayTracker extends CursorTracker {
  readonly #done: (result: PublishResult) => void;
  #settled = false;

  constructor(partition: number, done: (result: PublishResult) => void) {
    super(partition, 0);
    this.#done = done;
  }

  override acked(): void {
    this.#settle({ kind: "acked" });
  }

  /** The sink refused it again: the letter stays as it is. */
  refused(detail: string): true {
    this.#settle({ kind: "refused", detail });
    return true;
  }

  #settle(result: PublishResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(result);
  }
}
