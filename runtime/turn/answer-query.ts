import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { QueryContext } from "../actor/context.ts";
import type { Answer } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import { parseInput } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";

/** An actor that can be looked at. */
export interface Readable {
  readonly address: string;
  /** What a query sees. */
  look(): QueryContext<unknown>;
}

/**
 * The answer to a query, to be given once the state it saw is durable. What the handler throws is told to `host`, and its
 * caller sees `turn_failed`.
 */
export function answerQuery(
  actor: Readable,
  envelope: Envelope,
  definition: AnyMessageDefinition,
  host: { turnFailed(envelope: Envelope, error: unknown): void },
): Answer {
  try {
    const input = parseInput(definition.in, envelope.input, envelope.message, actor.address);
    const reply = definition.handle(actor.look() as never, input as never);
    return { kind: "reply", body: reply === undefined ? undefined : JSON.stringify(reply) };
  } catch (error) {
    if (error instanceof TroupeError) return { kind: "error", error };
    host.turnFailed(envelope, error);
    return { kind: "error", error: new TroupeError("turn_failed", `Cannot read ${actor.address}`, { cause: error }) };
  }
}
