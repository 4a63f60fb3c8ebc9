import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { QueryContext } from "../actor/context.ts";
import { readOnly } from "../journal/read-only.ts";
import type { Delivery } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { ActorState } from "../turn/actor-state.ts";
import { answerQuery, type Readable } from "../turn/handlers.ts";
import type { ActivationParts } from "./activation-parts.ts";
import type { OutputGate } from "./output-gate.ts";
import { stateForQuery, type Work } from "./work.ts";

/** What queries see of the life that answers them. */
export interface QueriedLife {
  readonly address: string;
  readonly key: string;
  readonly state: ActorState;
  /** Where answers wait for the turns they rest on (OutputGate.A2). */
  readonly gate: OutputGate;
  /** What the life is doing at this moment. */
  work(): Work;
}

/** Answers the queries of one life of an actor, beside its turns: by the state that the last one has left. */
export class Queries implements Readable {
  readonly #life: QueriedLife;
  readonly #parts: ActivationParts;

  constructor(life: QueriedLife, parts: ActivationParts) {
    this.#life = life;
    this.#parts = parts;
  }

  get address(): string {
    return this.#life.address;
  }

  /** Answers a query, also beside a running turn, by the state before that. */
  answer(delivery: Delivery, definition: AnyMessageDefinition): void {
    if (!this.#parts.partitions.holdsLease()) {
      const text = `Cannot read ${this.address} as this node's lease has to be renewed first`;
      delivery.fail(new TroupeError("unavailable", text));
      return;
    }
    const span = this.#parts.spans?.turn(delivery.envelope);
    const answer = answerQuery(this, delivery.envelope, definition, this.#parts.log);
    span?.end(answer.kind === "error" ? answer.error : undefined);
    this.#parts.metrics?.answered(delivery.envelope, answer);
    this.#life.gate.gate(delivery, answer);
  }

  look(): QueryContext<unknown> {
    const { key, state } = this.#life;
    const seen = stateForQuery(this.#life.work(), state);
    const why = (): string => `Cannot change the state of ${this.address} in a query`;
    return { key, state: readOnly(seen, why) as never, exists: state.exists, now: this.#parts.clock.now() };
  }
}
