import type { CommitBatch } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";

/** Is told of each commit, when it is durable and before anybody is answered: the relays, the timers, the watch polls. */
export interface CommitListener {
  /**
   * @param turns the turns that the commit holds, in the order they ended.
   * @param batch what was written, without the timers of partitions that have left this node meanwhile.
   */
  written(turns: readonly FinishedTurn[], batch: CommitBatch): void;
  /** `written` has thrown: what these partitions hold is to be read anew. */
  missed?(partitions: readonly number[]): void;
}
