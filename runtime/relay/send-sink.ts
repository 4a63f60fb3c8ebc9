import type { AnyActorType } from "../actor/any-actor.ts";
import { isPoison, poisonDetail } from "../dead-letters/poison.ts";
import { parseAddress } from "../message/address.ts";
import { PausedError, TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { PublishResult, Sink } from "../ports/sink.ts";
import type { ActorId, OutboxRecord } from "../ports/store.ts";

/** What sending to actors needs from the node. */
export interface SendHost {
  route(envelope: Envelope): Promise<string | undefined>;
  typeOf(name: string): AnyActorType | undefined;
  /** Pauses an actor, wherever it lives. */
  pause(actor: ActorId, reason: string): Promise<void>;
}

/** The name of the sink that sends go to. */
export const SEND_SINK = "actors";

/** Messages whose turns have failed that are remembered, at most. One that is forgotten begins to count anew. */
const MAX_FAILING = 10_000;

/**
 * The sink that durable sends go to: the other actor. The record's id is the message id, so that a repeat after a
 * crash finds the stored reply and acts no second time (G5).
 *
 * A retryable failure is tried again for ever. A message that is refused becomes a dead letter; one whose turn fails
 * `poison.after` times too, or it pauses its actor and waits, as the actor's type says (G8).
 */
export function sendSink(host: SendHost): Sink {
  /** Failed turns by message id. Counted here, as tries that never reached a turn do not count. */
  const failures = new Map<string, number>();

  const failed = async (record: OutboxRecord, { type, key }: ActorId, error: unknown): Promise<PublishResult> => {
    const { after = 5, then } = host.typeOf(type)?.options.poison ?? {};
    const count = (failures.get(record.id) ?? 0) + 1;
    if (count < after) {
      if (failures.size >= MAX_FAILING) failures.clear();
      failures.set(record.id, count);
      return { kind: "held" };
    }
    if (then === "pause") await host.pause({ type, key }, poisonDetail(`the message ${record.name}`, count, error));
    failures.delete(record.id);
    return then === "pause" ? { kind: "held" } : { kind: "refused", detail: textOf(error), attempts: count };
  };

  return {
    name: SEND_SINK,
    accepts: "send",
    lane: { kind: "keyed", maxInFlight: 256 },
    async publish(records): Promise<readonly PublishResult[]> {
      const record = records[0];
      if (record === undefined) return [];
      const actor = parseAddress(record.target);
      try {
        await host.route({
          ...actor,
          message: record.name,
          input: JSON.parse(record.body),
          id: record.id,
          origin: { kind: "send" },
          attempt: (failures.get(record.id) ?? 0) + 1,
          traceparent: record.traceparent,
          callers: [],
          timeoutMs: 30_000,
          since: record.at,
        });
      } catch (error) {
        if (error instanceof PausedError) {
          failures.delete(record.id);
          return [{ kind: "held" }];
        }
        if (isPoison(error)) return [await failed(record, actor, error)];
        if (error instanceof TroupeError && error.retryable) throw error;
        failures.delete(record.id);
        return [{ kind: "refused", detail: textOf(error) }];
      }
      failures.delete(record.id);
      return [{ kind: "acked" }];
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\u0000", "");
}
