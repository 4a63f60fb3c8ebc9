import type { Duration } from "../base/duration.ts";
import type { AnyActorType, AnyWorkerType } from "./any-actor.ts";

/** Options of one call. */
export interface CallOptions {
  /**
   * Makes the call take effect once: a repeat with the same id and input gets the stored reply, a repeat with another
   * input is refused with `message_id_reused`. Ids are kept for the store's retention (default 24 h).
   */
  readonly id?: string;
  /**
   * How long the caller waits for the reply. Default `"30s"`. The turn may still commit after it. A call made inside a
   * turn waits no longer than the caller of that turn does.
   */
  readonly timeout?: Duration;
  /**
   * Stops the waiting: the call ends with `cancelled`. A message that no turn was begun for is taken out of the mailbox and
   * never handled; a turn under way gets its `c.signal` aborted, and may still commit. On another node, as soon as word
   * gets there.
   */
  readonly signal?: AbortSignal;
  /** W3C trace context, carried into events and further calls. */
  readonly traceparent?: string;
}

/**
 * A typed handle on one actor: a method per message. Cheap, holds nothing; the actor need not exist or be in memory.
 *
 * @example
 * ```ts
 * const visits: ActorRef<typeof Counter> = troupe.ref(Counter, "visits");
 * await visits.add({ by: 2 }, { id: "request-1", timeout: "5s" });
 * await visits.value();
 * ```
 */
export type ActorRef<A extends AnyActorType> = {
  readonly [Name in keyof A["messages"]]: RefMethod<A["messages"][Name]>;
};

/** As {@link ActorRef}, for messages whose reply nobody waits for. */
export type ActorTell<A extends AnyActorType> = {
  readonly [Name in keyof A["messages"]]: TellMethod<A["messages"][Name]>;
};

/** Options of one call to a stateless worker: it keeps no replies, so there is no `id`. */
export type WorkOptions = Omit<CallOptions, "id">;

/**
 * A typed handle on a stateless worker: a method per message.
 *
 * @example
 * ```ts
 * const Rates = statelessWorker("rates", {
 *   messages: ({ work }) => ({ double: work({ in: v.number(), out: v.number() }, (_, amount) => 2 * amount) }),
 * });
 * const rates: WorkerRef<typeof Rates> = troupe.ref(Rates);
 * await rates.double(21, { timeout: "2s" });
 * ```
 */
export type WorkerRef<W extends AnyWorkerType> = {
  readonly [Name in keyof W["messages"]]: RefMethod<W["messages"][Name], WorkOptions>;
};

/** As {@link WorkerRef}, for messages whose reply nobody waits for. */
export type WorkerTell<W extends AnyWorkerType> = {
  readonly [Name in keyof W["messages"]]: TellMethod<W["messages"][Name]>;
};

/** Stands for the key of a stateless worker, which has none, where an address must have one. */
export const NO_KEY = "-";

type TellMethod<D> = D extends {
  handle(c: never, input: infer In): unknown;
}
  ? [In] extends [void]
    ? (input?: undefined) => void
    : (input: In) => void
  : never;

type RefMethod<D, Options = CallOptions> = D extends {
  handle(c: never, input: infer In): infer Out;
}
  ? [In] extends [void]
    ? (input?: undefined, options?: Options) => Promise<Awaited<Out>>
    : (input: In, options?: Options) => Promise<Awaited<Out>>
  : never;

type Call = (message: string, input: unknown, options: CallOptions | undefined) => unknown;
type RefClass = new (call: Call) => object;

/** One class per type, its methods on the prototype: making a ref costs one small object. */
const classes = new WeakMap<AnyActorType | AnyWorkerType, RefClass>();

/** A typed handle: a method per message of the type, each handing over to `call`. */
export function makeRef<Ref extends object>(type: AnyActorType | AnyWorkerType, call: Call): Ref {
  let RefOf = classes.get(type);
  if (RefOf === undefined) {
    RefOf = refClass(Object.keys(type.messages));
    classes.set(type, RefOf);
  }
  return new RefOf(call) as Ref;
}

function refClass(messages: readonly string[]): RefClass {
  class Ref {
    readonly #call: Call;

    constructor(call: Call) {
      this.#call = call;
    }

    static define(message: string): void {
      Object.defineProperty(Ref.prototype, message, {
        value(this: Ref, input: unknown, options: CallOptions | undefined): unknown {
          return this.#call(message, input, options);
        },
      });
    }
  }
  for (const message of messages) Ref.define(message);
  return Ref;
}
