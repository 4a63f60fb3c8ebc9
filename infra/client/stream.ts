import { type Line, type LineEvent, type RemoteAddress, TryFailed } from "./line.ts";
import { backOffMs, pause } from "./wait.ts";

/** A stream that ended as it should is opened again within this time. */
const AGAIN_MS = 200;

/**
 * The events of an actor, over as many lines as it takes: each goes on behind the last event that came. Ends when
 * `signal` is aborted; throws what does not pass by itself.
 */
export async function* stream(line: Line, to: RemoteAddress, signal?: AbortSignal): AsyncGenerator<LineEvent, void> {
  let lastId = "";
  for (let failures = 0; signal?.aborted !== true;) {
    const stop = new AbortController();
    const give = (): void => stop.abort();
    signal?.addEventListener("abort", give);
    let waitMs = Math.random() * AGAIN_MS;
    try {
      for await (const event of line.open(to, lastId, stop.signal)) {
        failures = 0;
        if (event.id !== undefined) lastId = event.id;
        yield event;
      }
    } catch (thrown) {
      if (thrown instanceof TryFailed && !thrown.error.retryable) throw thrown.error;
      waitMs = backOffMs(failures++, thrown instanceof TryFailed ? thrown.askedMs : 0);
    } finally {
      signal?.removeEventListener("abort", give);
      stop.abort();
    }
    await pause(waitMs, signal);
  }
}
