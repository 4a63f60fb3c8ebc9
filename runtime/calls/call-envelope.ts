import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import { TroupeError } from "../message/errors.ts";
import { checkMessageId } from "../message/validate.ts";
import type { Envelope, Origin } from "../ports/envelope.ts";

/** How long a caller waits that does not say. */
export const DEFAULT_TIMEOUT_MS = 30_000;
export const CALL: Origin = { kind: "call" };
/** Of a call that no turn makes. */
export const NO_CALLERS: readonly string[] = [];

/** The envelope of a message without an id, that no turn sends. */
export function envelopeOf(
  type: string,
  key: string,
  message: string,
  input: unknown,
  traceparent: string | undefined,
): Envelope {
  return {
    type,
    key,
    message,
    input,
    id: undefined,
    origin: CALL,
    attempt: 1,
    traceparent,
    callers: NO_CALLERS,
    timeoutMs: DEFAULT_TIMEOUT_MS,
  };
}

/** @throws {InvalidInputError} the id is no message id. @throws {TroupeError} `call_cycle`. */
export function checkCall({ type, key, id, callers }: Envelope, definition: AnyMessageDefinition | undefined): void {
  if (id !== undefined) checkMessageId(id);
  // A query runs beside the turn that asks, so it cannot wait for it; a command would wait for ever.
  if (callers.length === 0 || definition?.kind !== "command") return;
  const address = `${type}/${key}`;
  if (!callers.includes(address)) return;
  throw new TroupeError(
    "call_cycle",
    `Cannot call ${address} as it waits for this very call: ${[...callers, address].join(" → ")}`,
  );
}
