import type { AnyActorType } from "../actor/any-actor.ts";
import { SKIP_TICK } from "../actor/control-messages.ts";
import type { Clock } from "../base/clock.ts";
import { isPoison, poisonDetail } from "../dead-letters/poison.ts";
import type { Delivery } from "../message/delivery.ts";
import { PausedError, TroupeError } from "../message/errors.ts";
import type { ActorId, DeadLetter, TimerRow } from "../ports/store.ts";
import type { TimerVerdict } from "./timer-service.ts";

/** What firing a timer needs from the store host. */
export interface TimerDeliveryHost {
  readonly clock: Clock;
  /** Keeps a dead letter durably. */
  bury(letter: DeadLetter): Promise<void>;
  deliver(delivery: Delivery): void;
  /** Pauses an actor of this node. Resolves when that is durable. */
  pause(actor: ActorId, reason: string): Promise<void>;
}

/** Hands a timer's message to its actor; resolves when the turn has committed. */
export function fireTimer(host: TimerDeliveryHost, timer: TimerRow, attempt: number, skip: boolean): Promise<void> {
  const { type, key, name, dueAt, message, input, schedule } = timer;
  return new Promise((resolve, reject) => {
    host.deliver({
      envelope: {
        type,
        key,
        message: skip ? SKIP_TICK : message,
        input: skip || input === undefined ? undefined : JSON.parse(input),
        id: undefined,
        origin: { kind: "timer", name, dueAt, message, input, schedule },
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
 * A timer's turn failed. A retryable failure is tried again for ever. A turn that fails by itself `poison.after` times
 * (default 5) becomes a dead letter, and the timer is gone, or stands at its next tick; or, where the actor's type says
 * so, the actor is paused and the timer waits (G8).
 */
export async function afterTimerFailure(
  host: TimerDeliveryHost,
  type: AnyActorType | undefined,
  timer: TimerRow,
  attempt: number,
  error: unknown,
): Promise<TimerVerdict> {
  // It is read again when the actor is resumed.
  if (error instanceof PausedError) return "drop";
  if (error instanceof TroupeError && error.retryable) return "wait";
  if (attempt < (type?.options.poison?.after ?? 5)) return "retry";
  if (type?.options.poison?.then === "pause" && isPoison(error)) {
    await host.pause(timer, poisonDetail(`the timer ${timer.name}`, attempt, error));
    return "drop";
  }
  // The timer goes, or moves on, by a turn of its own: fenced like every write, and it sees what the actor made of it meanwhile.
  await host.bury(letterOf(timer, attempt, error, host.clock.now()));
  return "skip";
}

function letterOf(timer: TimerRow, attempts: number, error: unknown, at: number): DeadLetter {
  const address = `${timer.type}/${timer.key}`;
  return {
    id: `timer:${address}:${timer.name}:${timer.dueAt}`,
    reason: "poison",
    detail: (error instanceof Error ? error.message : String(error)).replaceAll("\u0000", ""),
    target: address,
    attempts,
    record: JSON.stringify(timer),
    at,
    type: timer.type,
    key: address,
  };
}
