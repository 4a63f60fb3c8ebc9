import type { Refusals } from "#infra/http/refusals.ts";

/** What the refusals of the shop's actors mean over HTTP, by actor type. */
export const SHOP_REFUSALS = {
  order: {
    unknown_order: { status: 404, detail: "There is no such order" },
    already_placed: { status: 409, detail: "The order was placed before" },
    already_shipped: { status: 409, detail: "The order has left the house and cannot be cancelled" },
    already_final: { status: 409, detail: "The order has come to its end and cannot be cancelled" },
    mixed_currencies: { status: 422, detail: "All lines of an order must be priced in one currency" },
    out_of_stock: { status: 409, detail: "There are not enough pieces" },
    total_too_large: { status: 422, detail: "The order costs more than any payment provider takes at once" },
    over_order_limit: { status: 422, detail: "The order costs more than this customer may order at once" },
    too_many_open_orders: { status: 409, detail: "This customer has as many orders under way as there may be" },
    other_country: { status: 422, detail: "The order was taxed and shipped for another country" },
    cancelled: { status: 409, detail: "The order is being cancelled" },
    not_delivered: { status: 409, detail: "Only what was delivered can be sent back" },
    return_too_late: { status: 409, detail: "The time to send it back is over" },
    nothing_to_decide: { status: 409, detail: "Nothing is to be decided: all of it is there, or it is decided" },
    nothing_to_retry: { status: 409, detail: "No undo of this order waits to be tried again" },
  },
  simulation: {
    unknown_simulation: { status: 404, detail: "There is no such simulation" },
    already_started: { status: 409, detail: "This simulation was started before" },
  },
  delivery: {
    unknown_delivery: { status: 404, detail: "There is no parcel of this order" },
    delivery_update_refused: { status: 409, detail: "The parcel cannot have come there from where it is" },
  },
  stock: {
    unknown_sku: { status: 404, detail: "There is no such product" },
    out_of_stock: { status: 409, detail: "There are not enough pieces" },
  },
} as const satisfies Readonly<Record<string, Refusals>>;
