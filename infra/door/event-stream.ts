import type { WatchEvent } from "./watch-event.ts";

/** Where the events of one stream come from. */
export interface EventRow {
  /** The next event; `undefined`: the row has ended, and the client should come back. */
  next(): Promise<WatchEvent | undefined>;
  /** The event was handed over. */
  sent(): void;
  stop(): void;
}

/** How one stream is kept. */
export interface StreamTimes {
  /** Milliseconds between two signs of life. */
  readonly heartbeatMs: number;
  /** Milliseconds until the stream ends and its client asks again, and is asked again whether it may. */
  readonly lifeMs: number;
}

/** An open stream. */
export interface OpenStream {
  readonly response: Response;
  /** Ends it from here: the client comes back. */
  end(): void;
}

/** Milliseconds a browser waits before it comes back. */
const RETRY_MS = 1_000;

/**
 * Answers with server-sent events (WHATWG HTML, 9.2): each is written when the client has taken the one before, a comment keeps
 * the line alive. It ends after its life also where its client reads no more. `over` is called once, however it ends.
 */
export function eventStream(
  row: EventRow,
  times: StreamTimes,
  headers: Readonly<Record<string, string>>,
  over: () => void,
): OpenStream {
  const text = new TextEncoder();
  const life = setTimeout(end, times.lifeMs);
  let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
  let next: Promise<WatchEvent | undefined> | undefined;
  let open = true;

  function close(): void {
    if (!open) return;
    open = false;
    clearTimeout(life);
    row.stop();
    over();
  }

  function end(): void {
    if (!open) return;
    close();
    stream?.close();
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const beat = alarm(times.heartbeatMs);
    try {
      next ??= row.next();
      const came = await Promise.race([next, beat.over]);
      if (!open) return;
      if (came === undefined) return end();
      if (came === "alarm") return controller.enqueue(text.encode(":\n\n"));
      next = undefined;
      // A copy: an enqueued one may be taken over by the host.
      controller.enqueue(came.bytes.slice());
      row.sent();
    } catch {
      end(); // what ended the row is answered when the client comes back
    } finally {
      beat.cancel();
    }
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      stream = controller;
      controller.enqueue(text.encode(`retry: ${RETRY_MS}\n\n`));
    },
    pull,
    cancel: close,
  });
  const response = new Response(body, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      ...headers,
    },
  });
  return { response, end };
}

/** A time that can be called off. */
export function alarm(ms: number): { readonly over: Promise<"alarm">; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<"alarm">((resolve) => (timer = setTimeout(() => resolve("alarm"), ms)));
  return { over, cancel: () => clearTimeout(timer) };
}
