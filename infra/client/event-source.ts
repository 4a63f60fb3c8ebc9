import type { Line } from "./call.ts";
import { CallError } from "./errors.ts";
import { errorOf, retryAfterMs } from "./problem.ts";
import { backOffMs, pause } from "./wait.ts";

/** A server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** A line without a sign of life for this long is dead. A door gives one every 5 s. */
const SILENCE_MS = 20_000;
/** Characters of one event, at most. */
const MAX_EVENT_LENGTH = 4_194_304;
/** A stream that ended as it should is opened again within this time. */
const AGAIN_MS = 200;

/**
 * The events of a stream, over as many connections as it takes: each goes on behind the last event that came. Ends when
 * `signal` is aborted; throws what does not pass by itself.
 */
export async function* eventSource(line: Line, path: string, signal?: AbortSignal): AsyncGenerator<ServerEvent, void> {
  let lastId = "";
  for (let failures = 0; signal?.aborted !== true;) {
    const stop = new AbortController();
    const give = (): void => stop.abort();
    signal?.addEventListener("abort", give);
    let waitMs = Math.random() * AGAIN_MS;
    try {
      const headers = { ...(await line.authorization()), ...(lastId !== "" && { "last-event-id": lastId }) };
      const response = await line.fetch(new Request(`${line.url}${path}`, { headers, signal: stop.signal }));
      if (!response.ok) {
        const error = await errorOf(response);
        if (!error.retryable) throw error;
        waitMs = backOffMs(failures++, retryAfterMs(response));
      } else {
        for await (const { id, ...event } of parsed(response, give)) {
          failures = 0;
          if (id !== undefined) lastId = id;
          if (event.data !== "") yield event;
        }
      }
    } catch (error) {
      if (error instanceof CallError) throw error;
      waitMs = backOffMs(failures++);
    } finally {
      signal?.removeEventListener("abort", give);
      stop.abort();
    }
    await pause(waitMs, signal);
  }
}

interface ParsedEvent extends ServerEvent {
  readonly id: string | undefined;
}

/** Reads an event stream (WHATWG HTML, 9.2.6). `silent` is called when nothing came for {@link SILENCE_MS}. */
async function* parsed(response: Response, silent: () => void): AsyncGenerator<ParsedEvent, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const text = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const timer = setTimeout(silent, SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      rest += text.decode(value, { stream: true }).replaceAll("\r\n", "\n");
      const blocks = rest.split("\n\n");
      rest = blocks.pop() ?? "";
      if (rest.length > MAX_EVENT_LENGTH) throw new Error("The event is too large");
      for (const block of blocks) yield eventOf(block);
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function eventOf(block: string): ParsedEvent {
  let event = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (field === "event") event = value;
    else if (field === "id") id = value;
    else if (field === "data") data.push(value);
  }
  return { event, id, data: data.join("\n") };
}
