import type { OrderStatus } from "#actors/shop/order/messages.ts";
import type { ParcelWatch } from "../parcel-watch.ts";
import { undos } from "../shop-steps.ts";
import { UndoStack } from "../undo-stack.ts";
import type { StockLine } from "./activities.ts";

/** In these an order has asked for no money, as it is marked before that. */
const BEFORE_MONEY: readonly OrderStatus[] = ["placed"];
/** In these it has no parcel. */
const BEFORE_PARCEL: readonly OrderStatus[] = ["placed", "reserved"];

/**
 * The undos of an order: its parcel, its money, its stock, in this order whichever was registered first.
 *
 * X1 The stock goes back last, and only when what is registered reaches as far as the order has come. A run that was started
 *    anew, or a workflow task that runs again, may give up before a step that was done before it: that one is undone all the same.
 * X2 That costs the history of other runs nothing: the undo of the stock looks how far the order has come.
 */
export class OrderUndo {
  readonly stack = new UndoStack();
  readonly #orderId: string;
  readonly #lines: readonly StockLine[];
  readonly #parcel: ParcelWatch;
  #money = false;
  #courier = false;

  constructor(orderId: string, lines: readonly StockLine[], parcel: ParcelWatch) {
    this.#orderId = orderId;
    this.#lines = lines;
    this.#parcel = parcel;
  }

  /** Registers the undo of holding stock, and of taking it off the shelf. */
  stock(): void {
    this.stack.add("giveBackStock", async () => {
      if (this.#parcel.is("lost")) return await undos.settleStock(this.#orderId, this.#lines);
      const further = await undos.giveBackStock(this.#orderId, this.#lines, this.#reach);
      if (further == null) return;
      this.stock(); // OrderUndo.X1
      this.money();
      if (!BEFORE_PARCEL.includes(further)) this.parcel();
    });
  }

  /** Registers the undo of setting money aside, and of taking it. Repeated, it changes nothing, and neither does `parcel`. */
  money(): void {
    if (this.#money) return;
    this.#money = true;
    this.stack.add("refundPayment", () => undos.refundPayment(this.#orderId));
  }

  /** Registers the undo of handing the parcel over. */
  parcel(): void {
    if (this.#courier) return;
    this.#courier = true;
    this.stack.add("recallDelivery", async () => {
      if ((await undos.recallDelivery(this.#orderId)).lost) this.#parcel.moved("lost");
    });
  }

  /** The statuses of an order for which what is registered is all there is to undo; `null`: any. */
  get #reach(): readonly OrderStatus[] | null {
    if (this.#courier) return null;
    return this.#money ? BEFORE_PARCEL : BEFORE_MONEY;
  }
}
