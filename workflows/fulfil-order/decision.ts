import { ApplicationFailure, condition } from "@temporalio/workflow";
import type { Choice, OrderMarked, PartialLine } from "#actors/shop/order/messages.ts";
import { steps, untilDone } from "../shop-steps.ts";
import type { StockLine } from "./activities.ts";

/** How often the stock is asked again while the customer waits for it. Shorter than a hold lives. */
const LOOK_AGAIN = "15s";
/** How long stock is waited for. */
const WAIT_LOOKS = (24 * 60 * 60) / 15;

/** What there is of an order: its lines as they are held, and what is to be paid for them. */
export interface Held {
  readonly lines: readonly StockLine[];
  readonly total: number;
}

/** Holding stock, with a question to the customer where only a part of it is there. */
export class Decision {
  readonly #orderId: string;
  readonly #reach: (step: Promise<OrderMarked>) => Promise<void>;
  readonly #cancelled: () => boolean;
  #open = false;
  #choice: Choice | undefined;

  constructor(orderId: string, reach: (step: Promise<OrderMarked>) => Promise<void>, cancelled: () => boolean) {
    this.#orderId = orderId;
    this.#reach = reach;
    this.#cancelled = cancelled;
  }

  /** Whether the customer is asked. */
  get open(): boolean {
    return this.#open;
  }

  /** Takes the customer's answer. `wait` may still become `accept` or `cancel` later. */
  async take(choice: Choice): Promise<void> {
    await this.#reach(untilDone.recordDecision(this.#orderId, choice));
    if (choice === "cancel") await untilDone.requestCancel(this.#orderId);
    this.#choice = choice;
  }

  /**
   * Holds the lines. Where a part is missing, the customer has 30 s to decide; without an answer the order fails with
   * `out_of_stock`, and so does one that has waited for a day.
   * @returns what is held; after a cancel whatever it is, as the caller looks for that next.
   */
  async holdStock(lines: readonly StockLine[], total: number): Promise<Held> {
    let held = await steps.holdStock(this.#orderId, lines);
    if (held.kind === "part") {
      // How long, and not until when: a task that runs again asks at another time, and must ask the same.
      await this.#reach(untilDone.askDecision(this.#orderId, held.lines, held.decideWithinMs));
      this.#open = true;
      await condition(() => this.#answered(), held.decideWithinMs);
      for (let looks = 0; held.kind === "part" && this.#choice === "wait" && !this.#cancelled(); looks++) {
        if (looks >= WAIT_LOOKS) break;
        await condition(() => this.#choice !== "wait" || this.#cancelled(), LOOK_AGAIN);
        if (this.#choice === "wait" && !this.#cancelled()) held = await steps.holdStock(this.#orderId, lines);
      }
      this.#open = false;
    }
    if (held.kind === "all") {
      await this.#reach(Promise.resolve(held.order));
      return { lines, total };
    }
    if (this.#choice === "cancel" || this.#cancelled())
      throw ApplicationFailure.nonRetryable("The order was cancelled", "cancelled");
    if (this.#choice !== "accept") throw ApplicationFailure.nonRetryable("Only a part is there", "out_of_stock");
    return await this.#accept(held.lines);
  }

  #answered(): boolean {
    return this.#choice !== undefined || this.#cancelled();
  }

  async #accept(part: readonly PartialLine[]): Promise<Held> {
    const accepted = await steps.acceptPart(this.#orderId, part);
    await this.#reach(Promise.resolve(accepted.order));
    const lines = part.filter(({ held }) => held > 0).map(({ sku, held }) => ({ sku, quantity: held }));
    return { lines, total: accepted.total };
  }
}
