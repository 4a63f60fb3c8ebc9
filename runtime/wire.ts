import {
  type InputIssue,
  InvalidInputError,
  PausedError,
  RefusedError,
  TroupeError,
  TROUPE_ERROR_CODES,
  type TroupeErrorCode,
} from "./errors.ts";
import type { Pause } from "./ports/store.ts";
import type { WireError } from "./ports/transport.ts";

const CODES: ReadonlySet<string> = new Set(TROUPE_ERROR_CODES);

/** An error as it crosses nodes. What is not a {@link TroupeError} crosses as `turn_failed`, without its text. */
export function toWireError(error: unknown): WireError {
  if (error instanceof RefusedError) return { code: "refused", message: error.reason, data: error.data };
  if (error instanceof InvalidInputError) return { code: "invalid_input", message: error.message, data: error.issues };
  if (error instanceof PausedError) {
    return { code: "paused", message: error.address, data: { since: error.since, reason: error.reason } };
  }
  if (error instanceof TroupeError) return { code: error.code, message: error.message };
  return { code: "turn_failed", message: "The handler failed" };
}

/** The error a {@link WireError} was made from: same class, code and data. */
export function fromWireError({ code, message, data }: WireError): TroupeError {
  if (code === "refused") return new RefusedError(message, (data ?? {}) as Record<string, unknown>);
  if (code === "invalid_input") return new InvalidInputError("a call", data as readonly InputIssue[]);
  if (code === "paused") return new PausedError(message, data as Pause);
  return new TroupeError(CODES.has(code) ? (code as TroupeErrorCode) : "turn_failed", message);
}
