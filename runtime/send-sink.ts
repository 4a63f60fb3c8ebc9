import { parseAddress } from "./address.ts";
import type { AnyActorType } from "./any-actor.ts";
import type { Envelope } from "./envelope.ts";
import { TroupeError } from "./errors.ts";
import type { PublishResult, Sink } from "./ports/sink.ts";

/**
 * The sink that durable sends go to: the other actor. The record's id is the message id, so that a repeat after a
 * crash finds the stored reply and acts no second time (G5).
 *
 * A retryable failure is tried again for ever. A message that is refused, or whose turn fails `poison.after` times,
 * becomes a dead letter (G8).
 */
export function sendSink(
  route: (envelope: Envelope) => Promise<string | undefined>,
  typeOf: (name: string) => AnyActorType | undefined,
): Sink {
  return {
    name: "actors",
    accepts: "send",
    lane: { kind: "keyed", maxInFlight: 256 },
    async publish(records, attempt): Promise<readonly PublishResult[]> {
      const record = records[0];
      if (record === undefined) return [];
      const { type, key } = parseAddress(record.target);
      try {
        await route({
          type,
          key,
          message: record.name,
          input: JSON.parse(record.body),
          id: record.id,
          origin: { kind: "send" },
          attempt,
          traceparent: record.traceparent,
          callers: [],
          timeoutMs: 30_000,
        });
        return [{ kind: "acked" }];
      } catch (error) {
        const tries = typeOf(type)?.options.poison?.after ?? 5;
        if (isRetryable(error, attempt, tries)) throw error;
        return [{ kind: "refused", detail: error instanceof Error ? error.message : String(error) }];
      }
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function isRetryable(error: unknown, attempt: number, tries: number): boolean {
  if (error instanceof TroupeError && error.code !== "turn_failed") return error.retryable;
  return attempt < tries;
}
