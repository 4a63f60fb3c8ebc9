/**
 * Starts `operation` at an even rate, whether or not those before have ended: an open loop, in which a slow system
 * shows as latency instead of a lower rate. Resolves when all have ended.
 * @throws what an operation failed with, once all have ended.
 */
export async function paced(
  ratePerSecond: number,
  seconds: number,
  operation: (n: number) => Promise<unknown>,
): Promise<void> {
  const total = Math.round(ratePerSecond * seconds);
  const running: Promise<unknown>[] = [];
  const startedAt = performance.now();
  while (running.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * ratePerSecond) + 1);
    while (running.length < due) running.push(operation(running.length));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const failed = (await Promise.allSettled(running)).find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
