/** Input of `reconcileService`. */
export interface ReconcileServiceInput {
  readonly name: string;
}

/** The signal that makes the loop look at the world at once. */
export const WAKE_SIGNAL = "wake";
/** The query that tells what the loop last decided. */
export const LAST_DECISION_QUERY = "getLastDecision";

/** What the loop last saw and decided. */
export interface Decision {
  readonly round: number;
  readonly status: string;
  /** As in `create 0`, `remove 3f2a…`. */
  readonly actions: readonly string[];
}
