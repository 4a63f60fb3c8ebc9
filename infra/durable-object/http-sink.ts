import { type OutboxRecord, type PublishResult, type Sink, toCloudEvent } from "#runtime";

/** What {@link httpSink} is given. */
export interface HttpSinkOptions {
  /** Where events are posted to, as `https://example.com/events`. */
  readonly url: string;
  /** The bearer token. Default: none. */
  readonly auth?: string;
  /** Short and stable: what was sent is remembered under it. Default `"http"`. */
  readonly name?: string;
  /** Events on their way at once, one of each actor. Default 8. */
  readonly maxInFlight?: number;
  /** How long an answer is waited for. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** Sends a request. Default: the host's `fetch`. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** Statuses that may be another answer later. */
const PASSING = new Set([401, 403, 404, 408, 421, 425, 429]);

/**
 * Posts each event as a CloudEvent (structured JSON) to an address that takes them once by their `id`, such as the gateway's
 * `POST /events`: in order per actor, again and again until it was taken. What is refused for what it is (another 4xx) becomes a
 * dead letter, and the rest goes on.
 *
 * @example
 * ```ts
 * const sink = httpSink({ url: "https://example.com/events", auth: "tk_…" });
 * ```
 */
export function httpSink(options: HttpSinkOptions): Sink {
  const { url, auth, name = "http", maxInFlight = 8, timeoutMs = 10_000 } = options;
  const { fetch: send = (request: Request) => fetch(request) } = options;
  const headers = {
    "content-type": "application/cloudevents+json",
    ...(auth !== undefined && { authorization: `Bearer ${auth}` }),
  };

  async function post(record: OutboxRecord): Promise<PublishResult> {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await send(new Request(url, { method: "POST", headers, body: toCloudEvent(record), signal }));
    const { status } = response;
    const text = await response.text();
    if (response.ok) return { kind: "acked" };
    const detail = `${status} ${text}`.slice(0, 1_000);
    if (status >= 500 || status < 400 || PASSING.has(status)) throw new Error(`Cannot post ${record.id}: ${detail}`);
    return { kind: "refused", detail };
  }

  return {
    name,
    accepts: "event",
    lane: { kind: "keyed", maxInFlight },
    publish: (records) => Promise.all(records.map(post)),
    async check() {
      const { status } = await send(
        new Request(url, { method: "OPTIONS", headers, signal: AbortSignal.timeout(timeoutMs) }),
      );
      if (status >= 500) throw new Error(`Cannot reach ${url}: it answered ${status}`);
    },
    close: () => Promise.resolve(),
  };
}
