import { pause } from "#infra/base/pause.ts";
import type { Log } from "#runtime";

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Runs `start` until it succeeds, with growing pauses (0.2 s to 5 s): a server that is away at the start is no reason to
 * give up, and is found soon after it came. Logs a failure when it is news.
 * @returns `undefined` when `signal` ended the trying.
 */
export async function keepTrying<T>(
  what: string,
  start: () => Promise<T>,
  { signal, log }: { readonly signal: AbortSignal; readonly log: Log },
): Promise<T | undefined> {
  let last = "";
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await start();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      log(reason === last ? "debug" : "warn", "app:waiting", { what, reason });
      last = reason;
    }
    await pause(pauseMs, signal);
  }
  return undefined;
}
