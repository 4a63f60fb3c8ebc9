/**
 * Questions to whoever serves a subject, in JSON, one message each way: of several that serve it one answers. At most once: for reading
 * alone.
 */
import type { Msg } from "@nats-io/transport-node";
import type { Log } from "#runtime";
import { type NatsLink, NatsUnavailableError } from "./connection.ts";

const FLUSH_WITHIN_MS = 10_000;
const QUEUE = "one";

/** What {@link serveRequests} is given. */
export interface ServeOptions {
  readonly link: NatsLink;
  readonly subject: string;
  /** Gives the answer, which has to fit into one message of the server. What it throws is told to whoever asked, as a text. */
  readonly answer: (body: unknown) => Promise<unknown>;
  readonly log: Log;
}

/**
 * Answers requests for a subject until it is ended by what it resolves with. The client subscribes again by itself after each
 * reconnect.
 * @throws {NatsUnavailableError} there is no connection.
 */
export async function serveRequests({ link, subject, answer, log }: ServeOptions): Promise<() => Promise<void>> {
  const reply = async (message: Msg): Promise<void> => {
    const said = await answer(message.json()).then(
      (value) => ({ value }),
      (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
    );
    message.respond(JSON.stringify(said));
  };
  return await link.use(`serve ${subject}`, FLUSH_WITHIN_MS, async (client) => {
    const subscription = client.subscribe(subject, {
      queue: QUEUE,
      callback: (error, message) => {
        if (error !== null) log("warn", "requests:failed", { subject, reason: error.message });
        else
          reply(message).catch((why: unknown) => log("debug", "requests:unanswered", { subject, reason: String(why) }));
      },
    });
    await client.flush();
    return async () => {
      if (!subscription.isClosed()) await subscription.drain().catch(() => undefined);
    };
  });
}

/**
 * Asks whoever serves a subject.
 * @throws {NatsUnavailableError} nobody serves it, or there was no answer within `withinMs`.
 * @throws {Error} the answer was a failure: its text.
 */
export async function askFor(link: NatsLink, subject: string, body: unknown, withinMs: number): Promise<unknown> {
  const message = await link.use(`ask ${subject}`, withinMs + 1_000, async (client) => {
    try {
      return await client.request(subject, JSON.stringify(body), { timeout: withinMs });
    } catch (cause) {
      throw new NatsUnavailableError(`Cannot ask ${subject} as nobody answers`, { cause });
    }
  });
  const said = message.json() as { readonly value?: unknown; readonly error?: string };
  if (said.error !== undefined) throw new Error(said.error);
  return said.value;
}
