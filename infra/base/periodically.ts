import { pause } from "./pause.ts";

/** Work that comes again and again. */
export interface Periodic {
  /** Resolves when the run under way has ended; no other begins. */
  stop(): Promise<void>;
}

/**
 * Does `work` every `everyMs` milliseconds, first after one pause, and never twice at once: the next pause begins when
 * the work has ended. `failed` is told when it rejects; the next run comes all the same.
 */
export function periodically(
  everyMs: number,
  work: () => Promise<unknown>,
  failed: (error: unknown) => void,
): Periodic {
  const stopping = new AbortController();
  const running = (async () => {
    for (;;) {
      await pause(everyMs, stopping.signal);
      if (stopping.signal.aborted) return;
      await work().catch(failed);
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
