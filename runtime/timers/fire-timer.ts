import type { AnyActorType } from "../actor/any-actor.ts";
import { SKIP_TICK } from "../actor/control-messages.ts";
import type { Clock } from "../base/clock.ts";
import { isPoison, poisonDetail } from "../dead-letters/poison.ts";
import type { DeadLetterRecorder } from "../dead-letters/recorder.ts";
import type { Delivery } from "../message/delivery.ts";
import { PausedError, TroupeError } from "../message/errors.ts";
import type { ActorId, DeadLetter, TimerRow } from "../ports/store.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { TimerFiring, TimerVerdict } from "./timer-service.ts";

/** What firing a timer works with. */
export interface FireTimersParts {
  readonly clock: Clock;
  readonly types: ReadonlyMap<string, AnyActorType>;
  readonly letters: DeadLetterRecorder;
  readonly spans: NodeSpans | undefined;
  /** How many turns may wait for their commit before no further one begins, in all lanes. */
  readonly lanes: { readonly limit: number };
  readonly dispatcher: { deliver(delivery: Delivery): void };
  readonly paused: {
    /** Pauses an actor of this node. Resolves when that is durable. */
    pause(actor: ActorId & { readonly partition: number }, reason: string): Promise<void>;
  };
}

/** Of what the lanes take, so much is for timers: calls that come beside thousands of them find room. */
const SHARE = 8;
const LEAST = 32;

/** Hands the messages of timers to their actors, and decides what becomes of a timer whose turn failed. */
export class FireTimers implements TimerFiring {
  readonly #parts: FireTimersParts;

  constructor(parts: FireTimersParts) {
    this.#parts = parts;
  }

  get room(): number {
    return Math.max(LEAST, this.#parts.lanes.limit / SHARE);
  }

  fire(timer: TimerRow, attempt: number, skip: boolean): Promise<void> {
    const { type, key, name, dueAt, message, input, schedule } = timer;
    return new Promise((resolve, reject) => {
      this.#parts.dispatcher.deliver({
        envelope: {
          type,
          key,
          message: skip ? SKIP_TICK : message,
          input: skip || input === undefined ? undefined : JSON.parse(input),
          id: undefined,
          origin: { kind: "timer", name, dueAt, message, input, schedule },
          attempt,
          traceparent: timer.traceparent ?? this.#parts.spans?.tracing.root(),
          callers: [],
          timeoutMs: Number.MAX_SAFE_INTEGER,
          ...(!skip && { since: dueAt }),
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
  async afterFailure(timer: TimerRow, attempt: number, error: unknown): Promise<TimerVerdict> {
    const { types, letters, paused, clock } = this.#parts;
    const poison = types.get(timer.type)?.options.poison;
    // It is read again when the actor is resumed.
    if (error instanceof PausedError) return "drop";
    if (error instanceof TroupeError && error.retryable) return "wait";
    if (attempt < (poison?.after ?? 5)) return "retry";
    if (poison?.then === "pause" && isPoison(error)) {
      await paused.pause(timer, poisonDetail(`the timer ${timer.name}`, attempt, error));
      return "drop";
    }
    // The timer goes, or moves on, by a turn of its own: fenced like every write, and it sees what the actor made of it.
    await letters.record([letterOf(timer, attempt, error, clock.now())]);
    return "skip";
  }
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
