import { traceOf } from "../http/trace.ts";
import type { Door } from "./core.ts";
import { failureText, type NumberedAsk, replyText } from "./frames.ts";

/**
 * Answers several calls with a line of JSON each (`application/x-ndjson`), in the order in which they end: a slow one holds up
 * no other. An empty line shows that the answer lives. A call that has no line when the answer ends may have taken effect.
 */
export function batchResponse(door: Door, request: Request, asks: readonly NumberedAsk[]): Response {
  const { traceparent, traceId } = traceOf(request);
  const text = new TextEncoder();
  // One for each call: hosts warn of a signal that many listen to.
  const calls = new Map(asks.map(({ id }) => [id, new AbortController()]));
  let given = false;
  const giveUp = (): void => {
    given = true;
    for (const call of calls.values()) call.abort();
  };
  request.signal.addEventListener("abort", giveUp, { once: true });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      let left = asks.length;
      const say = (line: string): void => {
        if (!given) controller.enqueue(text.encode(`${line}\n`));
      };
      const beat = setInterval(() => say(""), door.heartbeatMs);
      const answer = async ({ id, ask }: NumberedAsk): Promise<void> => {
        const { signal } = calls.get(id) ?? new AbortController();
        const line = await door
          .call(ask, request, traceparent, signal)
          .then((reply) => replyText(id, reply))
          .catch((error: unknown) => failureText(id, door.failure(error, ask.type, traceId)));
        say(line);
        if (--left > 0) return;
        clearInterval(beat);
        request.signal.removeEventListener("abort", giveUp);
        if (!given) controller.close();
      };
      for (const one of asks) void answer(one);
    },
    cancel: giveUp,
  });
  return new Response(body, {
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store", "x-trace-id": traceId },
  });
}
