import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { QueryContext } from "../actor/context.ts";
import type { Answer } from "../message/delivery.ts";
import { InvalidInputError, TroupeError } from "../message/errors.ts";
import { exactJson } from "../message/exact-json.ts";
import { parseInput } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";

/** An actor that can be looked at. */
export interface Readable {
  readonly address: string;
  /** What a query sees. */
  look(): QueryContext<unknown>;
}

/**
 * The answer to a query, to be given once the state it saw is durable. What the handler throws is logged, and its
 * caller sees `turn_failed`.
 */
export function answerQuery(
  actor: Readable,
  envelope: Envelope,
  definition: AnyMessageDefinition,
  log: { turnFailed(envelope: Envelope, error: unknown): void },
): Answer {
  try {
    const input = parseInput(definition.in, envelope.input, envelope.message, actor.address);
    const reply = definition.handle(actor.look() as never, input as never);
    return { kind: "reply", body: reply === undefined ? undefined : exactJson(reply, `the reply of ${actor.address}`) };
  } catch (error) {
    if (error instanceof TroupeError) return { kind: "error", error };
    log.turnFailed(envelope, error);
    return { kind: "error", error: new TroupeError("turn_failed", `Cannot read ${actor.address}`, { cause: error }) };
  }
}

const NOTHING_HAPPENED: ReadonlySet<string> = new Set(["unavailable", "fenced", "overloaded"]);

/**
 * What the caller is told when a handler ended with `thrown`. `unavailable`, `fenced` and `overloaded` promise that nothing happened, which
 * makes callers ask again by themselves; a turn may have asked other actors before, so it must not pass the promise on.
 */
export function failureOf(thrown: unknown, { type, key, message }: Envelope): TroupeError {
  const what = `Cannot handle ${message} for ${type}/${key}`;
  if (!(thrown instanceof TroupeError)) {
    return new TroupeError("turn_failed", `${what} as its handler failed`, { cause: thrown });
  }
  if (thrown instanceof InvalidInputError) {
    return new TroupeError("turn_failed", `${what} as its handler made or asked what does not fit`, { cause: thrown });
  }
  if (!NOTHING_HAPPENED.has(thrown.code)) return thrown;
  const text = `${what} as an actor it asked could not be reached: ${thrown.message}`;
  return new TroupeError("ask_failed", text, { cause: thrown });
}
