/** A message on its way through one node, and those who wait for its answer. */
import type { Envelope } from "../ports/envelope.ts";
import type { TroupeError } from "./errors.ts";

/** Someone who waits for an answer. A reply is JSON text: an actor's state is never shared with its callers. */
export interface Waiter {
  succeed(body: string | undefined): void;
  fail(error: unknown): void;
  /** Whether nobody waits any more; then the message is not worth a turn. */
  expired?(): boolean;
}

/** What a waiter will be told once it is safe to. */
export type Answer =
  | { readonly kind: "reply"; readonly body: string | undefined }
  | { readonly kind: "error"; readonly error: TroupeError };

/** A message and whoever waits for its answer. */
export interface Delivery extends Waiter {
  readonly envelope: Envelope;
  /** When its waiter stops waiting, by the monotonic clock. None: never. */
  readonly deadline?: number;
}

/** Who has taken a call, and is told when nobody waits for it any more. */
export interface CallTaker {
  abandon(call: Delivery, reason: TroupeError): void;
}
