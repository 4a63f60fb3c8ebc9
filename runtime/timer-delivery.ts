import type { Delivery } from "./activation-host.ts";
import type { AnyActorType } from "./any-actor.ts";
import type { Clock } from "./clock.ts";
import { TroupeError } from "./errors.ts";
import type { DeadLetter, Store, TimerRow } from "./ports/store.ts";

/** What firing a timer needs from the store host. */
export interface TimerDeliveryHost {
  readonly clock: Clock;
  readonly store: Store;
  deliver(delivery: Delivery): void;
}

/** Hands a timer's message to its actor; resolves when the turn has committed. */
export function fireTimer(host: TimerDeliveryHost, timer: TimerRow, attempt: number): Promise<void> {
  return new Promise((resolve, reject) => {
    host.deliver({
      envelope: {
        type: timer.type,
        key: timer.key,
        message: timer.message,
        input: timer.input === undefined ? undefined : JSON.parse(timer.input),
        id: undefined,
        origin: { kind: "timer", name: timer.name, dueAt: timer.dueAt },
        attempt,
        traceparent: undefined,
        callers: [],
        timeoutMs: Number.MAX_SAFE_INTEGER,
      },
      succeed: () => resolve(),
      fail: reject,
    });
  });
}

/**
 * A timer's turn failed. A retryable failure is tried again for ever; a turn that fails by itself becomes a dead
 * letter after the actor's `poison.after` tries (default 5), and the timer is gone (G8).
 */
export async function afterTimerFailure(
  host: TimerDeliveryHost,
  type: AnyActorType | undefined,
  timer: TimerRow,
  attempt: number,
  error: unknown,
): Promise<"retry" | "drop"> {
  if (error instanceof TroupeError && error.retryable) return "retry";
  if (attempt < (type?.options.poison?.after ?? 5)) return "retry";
  const letter: DeadLetter = {
    id: `timer:${timer.type}/${timer.key}:${timer.name}:${timer.dueAt}`,
    reason: "poison",
    detail: error instanceof Error ? error.message : String(error),
    target: `${timer.type}/${timer.key}`,
    attempts: attempt,
    record: JSON.stringify(timer),
    at: host.clock.now(),
  };
  await host.store.recordDeadLetters([letter], [timer]);
  return "drop";
}
