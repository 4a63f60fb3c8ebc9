import type { AnyActorType, AnyWorkerType } from "../actor/any-actor.ts";
import { NO_KEY } from "../actor/ref.ts";
import type { WorkContext } from "../actor/stateless-worker.ts";
import type { Clock } from "../base/clock.ts";
import type { Delivery } from "../message/delivery.ts";
import { RefusedError, type RefuseOptions, type TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import { TurnAsks } from "../turn/turn-asks.ts";

/** What a run works with. */
export interface WorkParts {
  readonly clock: Clock;
  /** A handle for calls made inside a run; they wait no longer than `deadline` (monotonic). */
  ref(
    type: AnyActorType | AnyWorkerType,
    key: string,
    from: Envelope,
    deadline: number | undefined,
    asks: TurnAsks,
  ): object;
}

/** One run of a stateless worker, as its handler sees it. */
export class Work implements WorkContext {
  readonly #delivery: Delivery;
  readonly #parts: WorkParts;
  readonly #asks: TurnAsks;
  #abort: AbortController | undefined;

  /** @param traceparent what its asks are part of; `undefined`: what its call is part of. */
  constructor(delivery: Delivery, parts: WorkParts, traceparent: string | undefined) {
    this.#delivery = delivery;
    this.#parts = parts;
    this.#asks = new TurnAsks(traceparent);
  }

  get now(): number {
    return this.#parts.clock.now();
  }

  get traceparent(): string | undefined {
    return this.#delivery.envelope.traceparent;
  }

  get deadline(): number | undefined {
    const { deadline } = this.#delivery;
    return deadline === undefined ? undefined : this.#parts.clock.now() + deadline - this.#parts.clock.monotonic();
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  /** Tells the handler's I/O to end: nobody needs it any more. */
  abort(reason: TroupeError): void {
    (this.#abort ??= new AbortController()).abort(reason);
  }

  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void {
    if (!condition) throw new RefusedError(reason, data);
  }

  refuse(reason: string, data?: Readonly<Record<string, unknown>>, options?: RefuseOptions): never {
    throw new RefusedError(reason, data, options);
  }

  ref(target: AnyActorType | AnyWorkerType, key: string = NO_KEY): never {
    const { envelope, deadline } = this.#delivery;
    return this.#parts.ref(target, key, envelope, deadline, this.#asks) as never;
  }

  /** What code without types may ask for, as it would of an actor. */
  absent(what: string): never {
    const { type, message } = this.#delivery.envelope;
    throw new TypeError(
      `Cannot use c.${what} in ${message} of ${type} as a stateless worker keeps nothing: ask an actor, by c.ref`,
    );
  }
}

for (const what of [
  "state",
  "exists",
  "key",
  "id",
  "timers",
  "emit",
  "send",
  "broadcast",
  "publish",
  "sockets",
  "workflow",
  "destroy",
]) {
  Object.defineProperty(Work.prototype, what, {
    get(this: Work): never {
      return this.absent(what);
    },
    set(this: Work) {
      this.absent(what);
    },
  });
}
