/** How much of a pool is taken. The pool keeps it; whoever counts reads it. */
export interface PoolUse {
  /** Queries under way, or waiting for a connection. */
  queries: number;
  /** Connections at most. */
  max: number;
}
