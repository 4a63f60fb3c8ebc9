import type { Activation } from "../activation/activation.ts";
import type { TimerView } from "../actor/context.ts";
import type { Delivery } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope, Origin } from "../ports/envelope.ts";
import type { Pause } from "../ports/store.ts";

/** A look at one actor, for administrators. */
export interface ActorInspection {
  readonly type: string;
  readonly key: string;
  /** The node that owns it. */
  readonly nodeId: string;
  readonly partition: number;
  /** Whether it has a committed state. */
  readonly exists: boolean;
  /** Rises with each turn that leaves another state. */
  readonly version: number;
  /** The committed state; `undefined` when there is none. */
  readonly state: unknown;
  readonly paused: Pause | undefined;
  readonly timers: readonly TimerView[];
  /** Whether it is in memory. */
  readonly active: boolean;
  /** Messages that wait for their turn. */
  readonly mailboxDepth: number;
  /** The last turns since it came into memory, newest first; empty unless the node was started with `recentTurns`. */
  readonly turns: readonly RecentTurn[];
}

/** A message that an actor was given, and what became of it. */
export interface RecentTurn {
  readonly message: string;
  readonly origin: Exclude<Origin["kind"], "watch" | "cancel">;
  readonly id: string | undefined;
  readonly attempt: number;
  /** When the message came, in milliseconds since the epoch. */
  readonly at: number;
  /** From its coming to its answer: waiting, turn and commit. */
  readonly durationMs: number;
  /** `ok`, or the code of the error. */
  readonly outcome: string;
}

/** The last turns of the actors in memory: a small ring each, gone with the actor. */
export class RecentTurns {
  readonly #size: number;
  readonly #now: () => number;
  readonly #turns = new WeakMap<Activation, RecentTurn[]>();

  constructor(size: number, now: () => number) {
    this.#size = size;
    this.#now = now;
  }

  /** The delivery to hand to the actor instead: it notes how it was answered. */
  watch(activation: Activation, delivery: Delivery): Delivery {
    return new NotedDelivery(this, activation, delivery, this.#now());
  }

  /** A message that came at `at` was answered. */
  note(activation: Activation, envelope: Envelope, at: number, outcome: string): void {
    let turns = this.#turns.get(activation);
    if (turns === undefined) this.#turns.set(activation, (turns = []));
    if (turns.length === this.#size) turns.pop();
    turns.unshift(recentTurn(envelope, at, this.#now() - at, outcome));
  }

  of(activation: Activation): readonly RecentTurn[] {
    return [...(this.#turns.get(activation) ?? [])];
  }
}

class NotedDelivery implements Delivery {
  readonly envelope: Envelope;
  readonly deadline?: number;
  readonly #turns: RecentTurns;
  readonly #activation: Activation;
  readonly #delivery: Delivery;
  readonly #at: number;

  constructor(turns: RecentTurns, activation: Activation, delivery: Delivery, at: number) {
    this.envelope = delivery.envelope;
    if (delivery.deadline !== undefined) this.deadline = delivery.deadline;
    this.#turns = turns;
    this.#activation = activation;
    this.#delivery = delivery;
    this.#at = at;
  }

  succeed(body: string | undefined): void {
    this.#turns.note(this.#activation, this.envelope, this.#at, "ok");
    this.#delivery.succeed(body);
  }

  fail(error: unknown): void {
    const outcome = error instanceof TroupeError ? error.code : "failed";
    this.#turns.note(this.#activation, this.envelope, this.#at, outcome);
    this.#delivery.fail(error);
  }

  expired(): boolean {
    return this.#delivery.expired?.() ?? false;
  }
}

function recentTurn(
  { message, origin, id, attempt }: Envelope,
  at: number,
  durationMs: number,
  outcome: string,
): RecentTurn {
  // Watches and cancellations are no messages of an actor: they never get here.
  return { message, origin: origin.kind as RecentTurn["origin"], id, attempt, at, durationMs, outcome };
}
