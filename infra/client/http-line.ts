import { type Line, type LineEvent, type Outgoing, pathOf, type RemoteAddress, TryFailed } from "./line.ts";
import { failureOf, unreachable } from "./problem.ts";
import { serverEvents } from "./server-events.ts";

/** What a line over HTTP needs. */
export interface HttpDoor {
  readonly url: string;
  readonly fetch: (request: Request) => Promise<Response>;
  /** The headers that say who asks. Asked before every try. */
  authorization(): Promise<Record<string, string>>;
}

/** A request for each call and each stream. */
export function httpLine(door: HttpDoor): Line {
  return {
    async call({ to, message, input, id, leftMs }: Outgoing, signal) {
      const headers = {
        ...(await door.authorization()),
        "content-type": "application/json",
        "idempotency-key": id,
        "troupe-deadline-ms": String(Math.ceil(leftMs)),
      };
      const body = input === undefined ? null : JSON.stringify(input);
      const path = `${pathOf(to)}/${encodeURIComponent(message)}`;
      const response = await ask(door, new Request(`${door.url}${path}`, { method: "POST", headers, body, signal }));
      const text = await response.text().catch((cause: unknown) => {
        throw new TryFailed(unreachable(cause));
      });
      return text === "" ? undefined : JSON.parse(text);
    },
    async *open(to: RemoteAddress, after: string, signal: AbortSignal): AsyncGenerator<LineEvent, void> {
      const headers = { ...(await door.authorization()), ...(after !== "" && { "last-event-id": after }) };
      const stop = new AbortController();
      const give = (): void => stop.abort();
      signal.addEventListener("abort", give);
      const request = new Request(`${door.url}${pathOf(to)}/watch`, { headers, signal: stop.signal });
      yield* serverEvents(await ask(door, request), give);
    },
    close: () => undefined,
  };
}

/** The answer to a request. @throws {TryFailed} there is none, or it is not 2xx. */
export async function ask(door: HttpDoor, request: Request): Promise<Response> {
  const response = await door.fetch(request).catch((cause: unknown) => {
    throw new TryFailed(unreachable(cause));
  });
  if (!response.ok) throw await failureOf(response);
  return response;
}
