import type { Clock } from "./clock.ts";

/** Runs `work` with a promise that resolves after `ms` (monotonic), and takes the timer away when it is done. */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (deadline: Promise<void>) => Promise<T>,
): Promise<T> {
  let cancel = (): void => undefined;
  const deadline = new Promise<void>((resolve) => (cancel = clock.after(ms, resolve)));
  try {
    return await work(deadline);
  } finally {
    cancel();
  }
}
