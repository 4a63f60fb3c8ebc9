import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Randomness } from "../base/randomness.ts";
import type { Partition } from "../ownership/partition.ts";
import type { Grant, Store } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";

/** How often an unknown outcome is asked for while the node stops. */
const TRIES_AT_STOP = 3;

export interface SettleParts {
  readonly nodeId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: StoreLog;
}

/**
 * Raises the epochs of partitions and reads what is committed in them, so that a commit whose answer was lost can be told
 * to have landed or not. A partition that somebody else had meanwhile is not among the answers. Asks until the store answers; while `stopping`, a few times more, and then resolves to nothing.
 */
export async function settle(
  { nodeId, store, clock, randomness, log }: SettleParts,
  partitions: readonly Partition[],
  stopping: () => boolean,
): Promise<readonly Grant[]> {
  const fences = partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
  for (let attempt = 1; ; attempt++) {
    try {
      const grants = await store.settle(nodeId, fences);
      // An earlier try may have raised an epoch too. What is beyond that was raised by another owner in between.
      return grants.filter(({ partition, epoch }) => {
        const known = fences.find((fence) => fence.partition === partition);
        return known !== undefined && epoch - known.epoch <= attempt;
      });
    } catch (error) {
      log.failed("settling a commit", error);
      if (stopping() && attempt > TRIES_AT_STOP) return [];
      await new Promise<void>((resolve) => clock.after(backoffMs(attempt, randomness, 50, 2_000), resolve));
    }
  }
}
