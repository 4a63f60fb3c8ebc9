/**
 * The hooks of one actor in memory.
 *
 * Owns: whether the actor's `onPassivate` is due. Does not own: when to run which; that is the activation's.
 *
 * H1 each `onActivate` that ended well is followed by one `onPassivate`, whatever ends the life between them.
 * H2 no hook is waited for longer than its time, or longer than the actor stays on this node.
 */
import type { AnyActorType } from "../actor/any-actor.ts";
import type { LeaveReason } from "../actor/life.ts";
import type { Clock } from "../base/clock.ts";
import { withResolvers } from "../base/deferred.ts";
import { TroupeError } from "../message/errors.ts";
import type { ActorId } from "../ports/store.ts";

export interface HookParts {
  readonly clock: Clock;
  readonly log: {
    /** Told of a hook that threw or took too long. */
    hookFailed(address: string, hook: "onActivate" | "onPassivate", error: unknown): void;
  };
}

/** `onActivate` may take this long; then it counts as failed. */
const ACTIVATE_MS = 10_000;
/** `onPassivate` may take this long; then nobody waits for it any more. */
const PASSIVATE_MS = 5_000;

export class LifeHooks {
  readonly #type: AnyActorType;
  readonly #id: ActorId;
  readonly #parts: HookParts;
  #activated = false;
  #abort: AbortController | undefined;

  constructor(type: AnyActorType, id: ActorId, parts: HookParts) {
    this.#type = type;
    this.#id = id;
    this.#parts = parts;
  }

  /** Whether `passivate` has something to undo. */
  get activated(): boolean {
    return this.#activated;
  }

  /**
   * `undefined` where there is nothing to wait for: most types have no hook.
   * @param state the actor's state as JSON; `undefined` where it does not exist.
   * @throws {TroupeError} `unavailable` when the hook fails, takes too long, or is ended by `abort`.
   */
  activate(state: string | undefined): Promise<void> | undefined {
    if (this.#type.options.onActivate !== undefined) return this.#activate(state);
    this.#activated = true;
    return undefined;
  }

  async #activate(state: string | undefined): Promise<void> {
    const { options } = this.#type;
    this.#abort = new AbortController();
    try {
      await this.#run("onActivate", ACTIVATE_MS, this.#abort, (signal) =>
        options.onActivate?.({ ...this.#look(state), signal } as never),
      );
    } catch (cause) {
      this.#parts.log.hookFailed(this.#address, "onActivate", cause);
      const text = `Cannot activate ${this.#address} as its onActivate failed`;
      throw new TroupeError("unavailable", text, { cause });
    } finally {
      this.#abort = undefined;
    }
    this.#activated = true;
  }

  /** Never rejects; `undefined` where there is nothing to wait for. */
  passivate(state: string | undefined, reason: LeaveReason): Promise<void> | undefined {
    const { options } = this.#type;
    const due = this.#activated && options.onPassivate !== undefined;
    this.#activated = false;
    if (!due) return undefined;
    return this.#run("onPassivate", PASSIVATE_MS, new AbortController(), (signal) =>
      options.onPassivate?.({ ...this.#look(state), signal, reason } as never),
    ).catch((error: unknown) => this.#parts.log.hookFailed(this.#address, "onPassivate", error));
  }

  /** Ends an `onActivate` under way: the actor leaves this node. */
  abort(reason: TroupeError): void {
    this.#abort?.abort(reason);
  }

  get #address(): string {
    return `${this.#id.type}/${this.#id.key}`;
  }

  /** A copy of the state for each hook: what it does to it changes nothing. */
  #look(state: string | undefined): { key: string; state: unknown; exists: boolean } {
    const { key } = this.#id;
    const copy: unknown = state === undefined ? this.#type.options.initial(key) : JSON.parse(state);
    return { key, state: copy, exists: state !== undefined };
  }

  async #run(
    name: string,
    limitMs: number,
    abort: AbortController,
    hook: (signal: AbortSignal) => unknown,
  ): Promise<void> {
    const { signal } = abort;
    const over = withResolvers<never>();
    const cancel = this.#parts.clock.after(limitMs, () =>
      abort.abort(new Error(`Cannot wait for ${name} of ${this.#address} longer than ${limitMs} ms`)),
    );
    const onAbort = (): void => over.reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    try {
      await Promise.race([(async () => hook(signal))(), over.promise]);
    } finally {
      cancel();
      signal.removeEventListener("abort", onAbort);
    }
  }
}
