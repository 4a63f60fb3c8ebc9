import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Undo2, X } from "lucide-react";
import { command } from "../kit/api.ts";
import { Confirm } from "../kit/confirm.tsx";
import { Failure } from "../kit/feedback.tsx";
import { useToast } from "../kit/toasts.tsx";
import type { Order } from "./types.ts";

const MAY_CANCEL = new Set(["placed", "reserved", "paid"]);

/** What may still be done with an order: only that is shown. */
export function OrderActions({ order }: { order: Order }) {
  const { orderId, status, cancelRequested, returnRequested, undoFailures } = order;
  const queries = useQueryClient();
  const say = useToast();
  const act = useMutation({
    mutationFn: ({ path, json }: { path: string; json: unknown; done: string }) =>
      command<unknown>(`/orders/${orderId}/${path}`, json),
    onSuccess: (_, { done }) => say("good", "done", done),
    onSettled: () => void queries.invalidateQueries({ queryKey: ["order", orderId] }),
  });
  const asking = order.decision?.choice === null && status === "placed";
  return (
    <>
      {asking && (
        <section className="card notice-card" aria-label="Your decision is needed">
          <div className="body stack">
            <strong>Only a part of this order is in stock</strong>
            <ul>
              {order.decision?.lines.map(({ sku, wanted, held }) => (
                <li key={sku} className="number">
                  {sku}: {held} of {wanted}
                </li>
              ))}
            </ul>
            <div className="row">
              {(["accept", "wait", "cancel"] as const).map((choice) => (
                <button
                  key={choice}
                  type="button"
                  className={choice === "accept" ? "button primary" : "button"}
                  disabled={act.isPending}
                  onClick={() => act.mutate({ path: "decide", json: { choice }, done: "We heard you" })}
                >
                  {{ accept: "Send that part", wait: "Wait for the rest", cancel: "Cancel the order" }[choice]}
                </button>
              ))}
            </div>
          </div>
        </section>
      )}
      {act.isError && <Failure error={act.error} />}
      <div className="row">
        {MAY_CANCEL.has(status) && !cancelRequested && (
          <Confirm
            label="Cancel the order"
            icon={X}
            title="Cancel this order?"
            sure="Cancel the order"
            onSure={() => act.mutate({ path: "cancel", json: undefined, done: "What was done is being undone" })}
          >
            The pieces go back to the shelf, and what was paid is given back.
          </Confirm>
        )}
        {status === "delivered" && returnRequested === false && (
          <Confirm
            label="Send it back"
            icon={Undo2}
            title="Send this order back?"
            sure="Send it back"
            onSure={() => act.mutate({ path: "return", json: undefined, done: "The courier will fetch it" })}
          >
            The courier fetches the parcel. When it has arrived you get your money back.
          </Confirm>
        )}
        {undoFailures !== undefined && status === "needs_attention" && (
          <button
            type="button"
            className="button"
            disabled={act.isPending}
            onClick={() => act.mutate({ path: "retry-undo", json: undefined, done: "Tried again" })}
          >
            Try the undo again
          </button>
        )}
      </div>
    </>
  );
}
