import {
  type InputIssue,
  InvalidInputError,
  MailboxFullError,
  OverloadedError,
  PausedError,
  RefusedError,
  type StateProblem,
  StateUnreadableError,
  TroupeError,
  TROUPE_ERROR_CODES,
  type TroupeErrorCode,
} from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Pause } from "../ports/store.ts";
import type { WireError } from "../ports/transport.ts";

const CODES: ReadonlySet<string> = new Set(TROUPE_ERROR_CODES);

/** An error as it crosses nodes. What is not a {@link TroupeError} crosses as `turn_failed`, without its text. */
export function toWireError(error: unknown): WireError {
  if (!(error instanceof TroupeError)) return { code: "turn_failed", message: "The handler failed" };
  const { code, message } = error;
  if (error instanceof RefusedError) return { code, message: error.reason, data: error.data };
  if (error instanceof InvalidInputError) return { code, message: error.what, data: error.issues };
  if (error instanceof MailboxFullError) {
    // The input stays: the caller has it. The address need not be the caller's, where the actor it called asked another.
    const { type, key, message: refused } = error.envelope;
    return { code, message, data: { limit: error.limit, type, key, message: refused } };
  }
  if (error instanceof OverloadedError) {
    return { code, message: error.address, data: { retryAfterMs: error.retryAfterMs } };
  }
  if (error instanceof PausedError) {
    return { code, message: error.address, data: { since: error.since, reason: error.reason } };
  }
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
      return mailboxFull(data as MailboxData, envelope);
    case "overloaded":
      return new OverloadedError(message, (data as { readonly retryAfterMs: number }).retryAfterMs);
    case "paused":
      return new PausedError(message, data as Pause);
    case "state_unreadable": {
      const { actor, found, known, problem } = data as StateData;
      return new StateUnreadableError(actor, found, known, problem);
    }
    default:
      return new TroupeError(CODES.has(code) ? (code as TroupeErrorCode) : "turn_failed", message);
  }
}

function mailboxFull({ limit, type, key, message }: MailboxData, call: Envelope): MailboxFullError {
  const same = type === call.type && key === call.key && message === call.message;
  return new MailboxFullError(same ? call : { ...call, type, key, message, input: undefined, id: undefined }, limit);
}

interface MailboxData extends Pick<Envelope, "type" | "key" | "message"> {
  readonly limit: number;
}

interface StateData {
  readonly actor: string;
  readonly found: number;
  readonly known: number;
  readonly problem: StateProblem;
}
