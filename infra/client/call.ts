import { CallError } from "./errors.ts";
import { type Line, type RemoteAddress, TryFailed } from "./line.ts";
import { unreachable } from "./problem.ts";
import type { RemoteOptions } from "./types.ts";
import { backOffMs, pause } from "./wait.ts";

/**
 * Calls a message until it has an answer that lasts, or its time is over. Every try carries the same id, so that the call acts
 * once however often it is sent.
 */
export async function call(
  line: Line,
  to: RemoteAddress,
  message: string,
  input: unknown,
  options: RemoteOptions & { readonly timeoutMs: number },
): Promise<unknown> {
  const { id = crypto.randomUUID(), timeoutMs, signal } = options;
  const deadline = Date.now() + timeoutMs;
  const stop = new AbortController();
  const give = (): void => stop.abort();
  // A `fetch` that does not heed its request's signal, or whose host has lost it (Node collects a request that only its own
  // signal's listener holds), keeps nobody beyond the deadline.
  const given = new Promise<never>((_, reject) => stop.signal.addEventListener("abort", reject));
  given.catch(() => undefined);
  const timer = setTimeout(give, timeoutMs);
  signal?.addEventListener("abort", give);
  if (signal?.aborted === true) give();
  try {
    for (let failures = 0; ; failures++) {
      if (stop.signal.aborted) throw overdue(signal, undefined);
      const leftMs = Math.max(1, deadline - Date.now());
      try {
        return await Promise.race([line.call({ to, message, input, id, leftMs }, stop.signal), given]);
      } catch (thrown) {
        const { error, askedMs } = thrown instanceof TryFailed ? thrown : new TryFailed(unreachable(thrown));
        if (stop.signal.aborted) throw overdue(signal, error);
        if (!error.retryable) throw error;
        const waitMs = backOffMs(failures, askedMs);
        if (Date.now() + waitMs >= deadline) throw error;
        await pause(waitMs, stop.signal);
      }
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", give);
  }
}

function overdue(signal: AbortSignal | undefined, cause: unknown): CallError {
  if (signal?.aborted === true) return new CallError("cancelled", "The call was given up", { cause });
  return new CallError("deadline_exceeded", "There was no answer in time, and it may still take effect", {
    retryable: true,
    cause,
  });
}
