import type { Envelope } from "./envelope.ts";
import {
  type InputIssue,
  InvalidInputError,
  MailboxFullError,
  RefusedError,
  type StateProblem,
  StateUnreadableError,
  TroupeError,
  TROUPE_ERROR_CODES,
  type TroupeErrorCode,
} from "./errors.ts";
import type { WireError } from "./ports/transport.ts";

const CODES: ReadonlySet<string> = new Set(TROUPE_ERROR_CODES);

/** An error as it crosses nodes. What is not a {@link TroupeError} crosses as `turn_failed`, without its text. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof TroupeError)) return { code: "turn_failed", message: "The handler failed" };
  const { code, message } = error;
  if (error instanceof RefusedError) return { code, message: error.reason, data: error.data };
  if (error instanceof InvalidInputError) return { code, message: error.what, data: error.issues };
  // The envelope stays: the caller has it.
  if (error instanceof MailboxFullError) return { code, message, data: error.limit };
  if (error instanceof StateUnreadableError) {
    const { actor, found, known, problem } = error;
    return { code, message, data: { actor, found, known, problem } };
  }
  return { code, message };
}

/** The error a {@link WireError} was made from: same class, code, text and data. `envelope` is the call it answers. */
export function fromWireError({ code, message, data }: WireError, envelope: Envelope): TroupeError {
  switch (code) {
    case "refused":
      return new RefusedError(message, (data ?? {}) as Record<string, unknown>);
    case "invalid_input":
      return new InvalidInputError(message, data as readonly InputIssue[]);
    case "mailbox_full":
      return new MailboxFullError(envelope, data as number);
    case "state_unreadable": {
      const { actor, found, known, problem } = data as StateData;
      return new StateUnreadableError(actor, found, known, problem);
    }
    default:
      return new TroupeError(CODES.has(code) ? (code as TroupeErrorCode) : "turn_failed", message);
  }
}

interface StateData {
  readonly actor: string;
  readonly found: number;
  readonly known: number;
  readonly problem: StateProblem;
}
