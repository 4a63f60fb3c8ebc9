import type { AnyActorType } from "../actor/any-actor.ts";
import { isControlEnvelope } from "../actor/control-messages.ts";
import type { StoreHost } from "../host/store-host.ts";
import { TroupeError } from "../message/errors.ts";
import { checkKey } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";

/** The actor types of a node, and the store host that each lives with. */
export class ActorRegistry {
  readonly #entries = new Map<string, { readonly type: AnyActorType; readonly host: StoreHost }>();
  readonly #workers: ReadonlySet<string>;

  /** @param workers the names of the stateless workers, which are no actors. */
  constructor(workers: readonly string[] = []) {
    this.#workers = new Set(workers);
  }

  add(type: AnyActorType, host: StoreHost): void {
    this.#entries.set(type.type, { type, host });
  }

  find(name: string): AnyActorType | undefined {
    return this.#entries.get(name)?.type;
  }

  findHost(name: string): StoreHost | undefined {
    return this.#entries.get(name)?.host;
  }

  /** @throws {TroupeError} `unknown_actor`. */
  hostOf(name: string): StoreHost {
    return this.#entryOf(name).host;
  }

  /**
   * The host a message has to go to.
   * @throws {TroupeError} `unknown_actor`, `unknown_message`, `invalid_input` for a key that cannot exist.
   */
  check(envelope: Envelope): StoreHost {
    const { type, host } = this.#entryOf(envelope.type);
    const known = Object.hasOwn(type.messages, envelope.message);
    if (!known && !isControlEnvelope(envelope) && envelope.origin.kind !== "watch") {
      throw new TroupeError("unknown_message", `Cannot find the message "${envelope.message}" of ${envelope.type}`);
    }
    checkKey(type.options.key, envelope.type, envelope.key);
    return host;
  }

  #entryOf(name: string): { readonly type: AnyActorType; readonly host: StoreHost } {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const why = this.#workers.has(name) ? " as it is a stateless worker, of which nothing is kept" : "";
    throw new TroupeError("unknown_actor", `Cannot find the actor type "${name}"${why}`);
  }
}
