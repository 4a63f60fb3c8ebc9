import type { WatchEvent } from "./watcher.ts";

/** Where the events of one stream come from. */
export interface EventRow {
  /** The next event; `undefined`: the row has ended, and the client should come back. */
  next(): Promise<WatchEvent | undefined>;
  /** The event was handed over. */
  sent(): void;
  /** The id to come back with before the first event. */
  readonly id: string;
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
 * the line alive. `over` is called once, however the stream ends.
 */
export function eventStream(
  row: EventRow,
  times: StreamTimes,
  headers: Readonly<Record<string, string>>,
  over: () => void,
): OpenStream {
  const text = new TextEncoder();
  const endsAt = Date.now() + times.lifeMs;
  let ended: (() => void) | undefined;
  const end = new Promise<"end">((resolve) => (ended = () => resolve("end")));
  let next: Promise<WatchEvent | "end"> | undefined;
  let open = true;

  function close(): void {
    if (!open) return;
    open = false;
    row.stop();
    ended?.();
    over();
  }

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const wait = alarm(Math.max(0, Math.min(times.heartbeatMs, endsAt - Date.now())));
    try {
      next ??= row.next().then((event) => event ?? "end");
      const came = await Promise.race([next, end, wait.over]);
      if (!open) return;
      if (came === "end" || (came === "alarm" && Date.now() >= endsAt)) {
        close();
        controller.close();
        return;
      }
      if (came === "alarm") {
        controller.enqueue(text.encode(":\n\n"));
        return;
      }
      next = undefined;
      controller.enqueue(text.encode(`id: ${came.id}\nevent: ${came.event}\ndata: ${came.data}\n\n`));
      row.sent();
    } catch {
      // What ended the row is answered when the client comes back.
      if (!open) return;
      close();
      controller.close();
    } finally {
      wait.cancel();
    }
  }

  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const id = row.id === "" ? "" : `id: ${row.id}\n`;
      controller.enqueue(text.encode(`retry: ${RETRY_MS}\n${id}\n`));
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
  return { response, end: () => (open ? ended?.() : undefined) };
}

interface Alarm {
  readonly over: Promise<"alarm">;
  cancel(): void;
}

function alarm(ms: number): Alarm {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<"alarm">((resolve) => (timer = setTimeout(() => resolve("alarm"), ms)));
  return { over, cancel: () => clearTimeout(timer) };
}
