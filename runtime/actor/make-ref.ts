import type { AnyActorType } from "./any-actor.ts";
import type { ActorRef, CallOptions } from "./ref.ts";

type Call = (message: string, input: unknown, options: CallOptions | undefined) => unknown;
type RefClass = new (call: Call) => object;

/** One class per actor type, its methods on the prototype: making a ref costs one small object. */
const classes = new WeakMap<AnyActorType, RefClass>();

/** A typed handle: a method per message of the type, each handing over to `call`. */
export function makeRef<A extends AnyActorType, Ref = ActorRef<A>>(type: A, call: Call): Ref {
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
