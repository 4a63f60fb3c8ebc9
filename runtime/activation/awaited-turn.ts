import type { DeadlineList, Expiring } from "../base/deadlines.ts";
import type { Delivery } from "../message/delivery.ts";
import type { Turn } from "../turn/turn.ts";

/** Told when the time of a turn is over. */
export interface AwaitingLife {
  late(work: AwaitedTurn): void;
}

/** A turn whose handler awaits: until it is done, or its time is over. */
export class AwaitedTurn implements Expiring {
  readonly kind = "awaiting";
  readonly delivery: Delivery;
  readonly turn: Turn;
  readonly deadline: number;
  /** The state it started from, for queries; made when first asked for. */
  started: { readonly state: unknown } | undefined;
  list: DeadlineList | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  readonly #life: AwaitingLife;

  constructor(delivery: Delivery, turn: Turn, deadline: number, life: AwaitingLife) {
    this.delivery = delivery;
    this.turn = turn;
    this.deadline = deadline;
    this.#life = life;
  }

  expire(): void {
    this.#life.late(this);
  }
}
