import { CallError } from "./errors.ts";
import { errorOf, retryAfterMs } from "./problem.ts";
import type { RemoteOptions } from "./types.ts";
import { backOffMs, pause } from "./wait.ts";

/** How a connection asks. */
export interface Line {
  readonly url: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly timeoutMs: number;
  /** The headers that say who asks. */
  authorization(): Promise<Record<string, string>>;
}

/** The outcome of one try. */
type Tried =
  | { readonly kind: "reply"; readonly reply: unknown }
  | { readonly kind: "failed"; readonly error: CallError; readonly askedMs: number };

/**
 * Calls a message until it has an answer that lasts, or its time is over. Every try carries the same id, so that the call acts
 * once however often it is sent.
 */
export async function call(line: Line, path: string, input: unknown, options: RemoteOptions = {}): Promise<unknown> {
  const { id = crypto.randomUUID(), timeoutMs = line.timeoutMs, signal } = options;
  const deadline = Date.now() + timeoutMs;
  const stop = new AbortController();
  const give = (): void => stop.abort();
  const timer = setTimeout(give, timeoutMs);
  signal?.addEventListener("abort", give);
  if (signal?.aborted === true) give();
  try {
    for (let failures = 0; ; failures++) {
      if (stop.signal.aborted) throw overdue(signal, undefined);
      const left = Math.max(1, deadline - Date.now());
      const tried = await attempt(line, path, input, id, left, stop.signal);
      if (tried.kind === "reply") return tried.reply;
      if (stop.signal.aborted) throw overdue(signal, tried.error);
      if (!tried.error.retryable) throw tried.error;
      const waitMs = backOffMs(failures, tried.askedMs);
      if (Date.now() + waitMs >= deadline) throw tried.error;
      await pause(waitMs, stop.signal);
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", give);
  }
}

async function attempt(
  line: Line,
  path: string,
  input: unknown,
  id: string,
  leftMs: number,
  signal: AbortSignal,
): Promise<Tried> {
  const headers = {
    ...(await line.authorization()),
    "content-type": "application/json",
    "idempotency-key": id,
    "troupe-deadline-ms": String(Math.ceil(leftMs)),
  };
  try {
    const body = input === undefined ? null : JSON.stringify(input);
    const response = await line.fetch(new Request(`${line.url}${path}`, { method: "POST", headers, body, signal }));
    if (!response.ok) return { kind: "failed", askedMs: retryAfterMs(response), error: await errorOf(response) };
    const text = await response.text();
    return { kind: "reply", reply: text === "" ? undefined : JSON.parse(text) };
  } catch (cause) {
    const error = new CallError("unreachable", "The server cannot be reached", { retryable: true, cause });
    return { kind: "failed", error, askedMs: 0 };
  }
}

function overdue(signal: AbortSignal | undefined, cause: unknown): CallError {
  if (signal?.aborted === true) return new CallError("cancelled", "The call was given up", { cause });
  return new CallError("deadline_exceeded", "There was no answer in time, and it may still take effect", {
    retryable: true,
    cause,
  });
}
