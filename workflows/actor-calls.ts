import { ApplicationFailure, ApplicationFailureCategory } from "@temporalio/common";
import { RefusedError, TroupeError, type CallOptions } from "#runtime";

/** How long an activity waits for an actor, inside its own `startToCloseTimeout` of 10 s. */
const CALL_TIMEOUT = "8s";

/** Calls actors for one business id; see {@link actorCalls}. */
export interface ActorCalls {
  <T>(step: string, call: (options: CallOptions) => Promise<T>): Promise<T>;
  /** A call without an id of its own: for queries, and commands that look at the actor's state alone. */
  plain<T>(call: () => Promise<T>): Promise<T>;
  /** How long any call may wait. */
  readonly patience: CallOptions;
  /** Whether the call goes through: `false` where the actor refuses it. */
  settles(step: string, call: (options: CallOptions) => Promise<unknown>): Promise<boolean>;
  /** Fails the activity for good, as an actor's refusal would. */
  refuse(reason: string, data?: Readonly<Record<string, unknown>>): never;
}

/**
 * Calls actors from activities, once per step: the message id is `<businessId>/<step>`, the same in every retry.
 * Failures leave as Temporal failures ({@link toApplicationFailure}).
 */
export function actorCalls(businessId: string): ActorCalls {
  const once = (step: string): CallOptions => ({ id: `${businessId}/${step}`, timeout: CALL_TIMEOUT });
  return Object.assign(
    async <T>(step: string, call: (options: CallOptions) => Promise<T>): Promise<T> => {
      try {
        return await call(once(step));
      } catch (error) {
        throw toApplicationFailure(error);
      }
    },
    {
      patience: { timeout: CALL_TIMEOUT } as const,
      async plain<T>(call: () => Promise<T>): Promise<T> {
        try {
          return await call();
        } catch (error) {
          throw toApplicationFailure(error);
        }
      },
      async settles(step: string, call: (options: CallOptions) => Promise<unknown>): Promise<boolean> {
        try {
          await call(once(step));
          return true;
        } catch (error) {
          if (error instanceof RefusedError) return false;
          throw toApplicationFailure(error);
        }
      },
      refuse(reason: string, data: Readonly<Record<string, unknown>> = {}): never {
        throw toApplicationFailure(new RefusedError(reason, data));
      },
    },
  );
}

/**
 * The Temporal failure of an actor's error. A refusal is not retried and has the refusal's `reason` as its `type`; any
 * other `TroupeError` has its `code` as the type and is retried where the error says so. Other errors stay as they are
 * (Temporal retries them).
 */
export function toApplicationFailure(error: unknown): unknown {
  if (error instanceof RefusedError) {
    const { message, reason: type, data } = error;
    // Benign: a no is an answer, and is not to be logged as a failure.
    return ApplicationFailure.create({
      message,
      type,
      nonRetryable: true,
      details: [data],
      category: ApplicationFailureCategory.BENIGN,
    });
  }
  if (error instanceof TroupeError) {
    return ApplicationFailure.create({
      message: error.message,
      type: error.code,
      nonRetryable: !error.retryable,
      cause: error,
    });
  }
  return error;
}
