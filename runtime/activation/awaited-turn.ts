import type { DeadlineList, Expiring } from "../base/deadlines.ts";
import type { Delivery } from "../message/delivery.ts";
import type { Turn } from "../turn/turn.ts";

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
  readonly #late: (work: AwaitedTurn) => void;

  /** @param late is told when its time is over. */
  constructor(delivery: Delivery, turn: Turn, deadline: number, late: (work: AwaitedTurn) => void) {
    this.delivery = delivery;
    this.turn = turn;
    this.deadline = deadline;
    this.#late = late;
  }

  expire(): void {
    this.#late(this);
  }
}
