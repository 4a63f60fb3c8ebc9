const FIRST_MS = 50;
const MOST_MS = 5_000;

/**
 * The pause before another try: doubling from 50 ms up to 5 s, half of it chance, so that many clients do not come back at
 * once. Never shorter than what the server asked for.
 */
export function backOffMs(failures: number, askedMs = 0): number {
  const most = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures, 20));
  return askedMs + most * (0.5 + Math.random() / 2);
}

/** Waits; ends early when `signal` is aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted === true) done();
  });
}
