import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { Chip } from "../kit/chip.tsx";
import { Failure, Skeleton } from "../kit/feedback.tsx";
import { money } from "../kit/format.ts";
import { useLive } from "../kit/live.ts";
import { useParam } from "../kit/param.ts";
import { Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { AddressText } from "./address-text.tsx";
import { ChangeAddress } from "./change-address.tsx";
import { InvoiceSheet } from "./invoice.tsx";
import { OrderActions } from "./order-actions.tsx";
import { Stepper } from "./stepper.tsx";
import { Sums } from "./sums.tsx";
import type { Order } from "./types.ts";

const FINAL = new Set(["delivered", "rejected", "cancelled", "returned"]);
/** The invoice and the delivery's last word come over brokers: a moment after the order is at its end. */
const SETTLES_MS = 20_000;

/** One order, from placing to delivery, as it happens. */
export function OrderPage() {
  const id = useParam("id");
  const queries = useQueryClient();
  const queryKey = ["order", id];
  const order = useQuery({
    queryKey,
    queryFn: () => ask<Order>(`/orders/${encodeURIComponent(id)}`),
    refetchInterval: ({ state: { data } }) => {
      if (data === undefined) return false;
      const last = Date.parse(data.history.at(-1)?.at ?? "");
      return !FINAL.has(data.status) || Date.now() - last < SETTLES_MS ? 3_000 : false;
    },
  });
  useLive([`orders/${id}`], () => void queries.invalidateQueries({ queryKey }));
  if (order.isError) return <Failure error={order.error} retry={() => void order.refetch()} />;
  if (order.data === undefined) return <Skeleton rows={4} height={120} />;
  return <Shown order={order.data} />;
}

function Shown({ order }: { order: Order }) {
  const { orderId, status, reason, lines, charges, total, currency, payment, delivery, invoice } = order;
  return (
    <div className="stack order">
      <header className="row">
        <div className="grow stack" style={{ gap: 6 }}>
          <h1>Order</h1>
          <Chip id={orderId} label="order id" />
        </div>
        <div aria-live="polite">
          <Status status={order.cancelRequested && !FINAL.has(status) ? "cancelling" : status} />
        </div>
      </header>
      <section className="card">
        <div className="body stack">
          <Stepper order={order} />
          {reason !== undefined && (
            <p role="note">
              <strong>Why: </strong>
              {reason.replaceAll("_", " ")}
            </p>
          )}
        </div>
      </section>
      <OrderActions order={order} />
      <div className="order-parts">
        <section className="card" aria-labelledby="goods">
          <header>
            <h2 id="goods" className="grow">
              What you ordered
            </h2>
            {invoice !== null && <InvoiceSheet invoice={invoice} address={order.address} />}
          </header>
          <div className="body">
            <Sums lines={lines} charges={charges} total={total} currency={currency} />
          </div>
        </section>
        <div className="stack">
          <section className="card" aria-labelledby="parcel">
            <header>
              <h2 id="parcel" className="grow">
                The parcel
              </h2>
              {delivery !== null && delivery.status !== "none" && <Status status={delivery.status} />}
            </header>
            <div className="body stack">
              <div className="row">
                <div className="grow">
                  <AddressText address={order.address} />
                </div>
                {order.returnRequested !== undefined && ["placed", "reserved", "paid"].includes(status) && (
                  <ChangeAddress order={order} />
                )}
              </div>
              <ol className="way">
                {delivery?.history.map(({ status: step, at, note }) => (
                  <li key={step + at}>
                    <span className="grow">
                      {step.replaceAll("_", " ")}
                      {note !== undefined && <span className="soft"> · {note}</span>}
                    </span>
                    <span className="soft small">
                      <When at={at} />
                    </span>
                  </li>
                ))}
              </ol>
            </div>
          </section>
          <section className="card" aria-labelledby="payment">
            <header>
              <h2 id="payment" className="grow">
                Payment
              </h2>
              {payment !== null && payment.status !== "none" && <Status status={payment.status} />}
            </header>
            <div className="body">
              {payment === null || payment.status === "none" ? (
                <span className="soft">Not asked for yet</span>
              ) : (
                <dl className="facts">
                  <dt>Amount</dt>
                  <dd className="number">{money(payment.amount ?? total, payment.currency ?? currency)}</dd>
                  {payment.declineReason !== undefined && (
                    <>
                      <dt>Declined</dt>
                      <dd>{payment.declineReason.replaceAll("_", " ")}</dd>
                    </>
                  )}
                  {(payment.refunded ?? 0) > 0 && (
                    <>
                      <dt>Given back</dt>
                      <dd className="number">{money(payment.refunded ?? 0, currency)}</dd>
                    </>
                  )}
                </dl>
              )}
            </div>
          </section>
          <section className="card" aria-labelledby="curious">
            <header>
              <h2 id="curious">For the curious</h2>
            </header>
            <div className="body row">
              <a className="button" href={`/console/workflows/${encodeURIComponent(order.workflowId)}`}>
                Its workflow
              </a>
              <a className="button" href={`/console/actors/order/${encodeURIComponent(orderId)}`}>
                Its actor
              </a>
              <a className="button" href={`/console/traces?q=${encodeURIComponent(orderId)}`}>
                Its traces
              </a>
              <a className="button" href={`/console/search?q=${encodeURIComponent(orderId)}`}>
                Everything about it
              </a>
              {order.links.temporal !== null && (
                <a className="button quiet" href={order.links.temporal}>
                  Temporal
                </a>
              )}
            </div>
          </section>
        </div>
      </div>
    </div>
  );
}
