/** Time, so that tests can own it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that never go back, from an arbitrary start. For leases and deadlines. */
  monotonic(): number;
  /**
   * Runs `task` once after `ms`. The returned function cancels it. With `waitedFor`, somebody awaits it: the process
   * should not end before.
   */
  after(ms: number, task: () => void, waitedFor?: boolean): () => void;
  /** Resolves once everything that is ready to run now has run. Default: by the host's event loop. */
  idle?(): Promise<void>;
}

/** The machine's clock. Its timers do not keep the process alive, but for those that are waited for. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, task, waitedFor) {
    // setTimeout counts in 32 bits: a longer wait would fire at once.
    const timer = setTimeout(task, Math.min(ms, 0x7fffffff)) as unknown as { unref?(): void };
    if (waitedFor !== true) timer.unref?.();
    return () => clearTimeout(timer as unknown as number);
  },
};
