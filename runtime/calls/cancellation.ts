/** One caller's wish to stop waiting, told to whatever has its message at that time. */
export class Cancellation {
  cancelled = false;
  #stop: (() => void) | undefined;

  /** Names what has the message now, in place of what had it before. Called at once when the wish is already there. */
  heldBy(stop: () => void): void {
    this.#stop = stop;
    if (this.cancelled) stop();
  }

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    this.#stop?.();
  }
}

/**
 * Runs a call until it ends or `signal` is aborted, whichever comes first. In the second case it ends with `error()`, and
 * the call is told to end for itself.
 */
export function untilAborted<T>(
  signal: AbortSignal,
  error: () => Error,
  call: (cancellation: Cancellation) => Promise<T>,
): Promise<T> {
  if (signal.aborted) return Promise.reject(error());
  return new Promise((resolve, reject) => {
    const cancellation = new Cancellation();
    const onAbort = (): void => {
      reject(error());
      cancellation.cancel();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    void call(cancellation)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort));
  });
}
