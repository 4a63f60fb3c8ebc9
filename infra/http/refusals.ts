/**
 * What an actor's refusal means over HTTP. By noun, then by the actor's own reason; the noun of a route is the noun of
 * the actor it speaks to. A reason that is not listed is a conflict with the state of the thing: 409.
 */
const REFUSALS: Readonly<
  Record<string, Readonly<Record<string, { readonly status: number; readonly detail: string }>>>
> = {
  order: {
    unknown_order: { status: 404, detail: "There is no such order" },
    already_placed: { status: 409, detail: "The order was placed before" },
    already_shipped: { status: 409, detail: "The order has left the house and cannot be cancelled" },
    already_final: { status: 409, detail: "The order has come to its end and cannot be cancelled" },
    mixed_currencies: { status: 422, detail: "All lines of an order must be priced in one currency" },
    out_of_stock: { status: 409, detail: "There are not enough pieces" },
  },
  stock: {
    unknown_sku: { status: 404, detail: "There is no such product" },
    out_of_stock: { status: 409, detail: "There are not enough pieces" },
  },
  key: {
    key_exists: {
      status: 409,
      detail:
        "This Idempotency-Key has made a key already, which is not shown again: rotate that one, or use a new key",
    },
    too_many_keys: { status: 409, detail: "There are as many keys as there may be: revoke some" },
    already_expired: { status: 422, detail: "expiresAt must be in the future" },
  },
  source: {
    unknown_source: { status: 404, detail: "There is no such source" },
  },
  endpoint: {
    unknown_endpoint: { status: 404, detail: "There is no such endpoint" },
  },
  route: {
    unknown_route: { status: 404, detail: "There is no such route" },
  },
  service: {
    unknown_service: { status: 404, detail: "There is no such service" },
  },
};

/** Status, stable code and public text of a refusal, as in `order.already_shipped`. */
export function refusalAnswer(
  noun: string | undefined,
  reason: string,
): { readonly status: number; readonly code: string; readonly detail: string } {
  const nouns = noun === undefined ? undefined : REFUSALS[noun];
  const known = nouns !== undefined && Object.hasOwn(nouns, reason) ? nouns[reason] : undefined;
  return {
    status: known?.status ?? 409,
    code: `${noun ?? "actor"}.${reason}`,
    detail: known?.detail ?? `Refused: ${reason.replaceAll("_", " ")}`,
  };
}
