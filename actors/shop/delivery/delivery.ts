/**
 * Delivery: the parcel of one order, carried by a sandbox courier that moves it on by durable timers.
 *
 * States: none → scheduled → dispatched → delivered; `recalled` from any of them (the sandbox takes returns).
 * Each state but the last sets the timer `advance` that leaves it; `recall` cancels it.
 *
 * D1 A parcel recalled before it was scheduled stays recalled: a late `schedule` is refused with `delivery_recalled`.
 * D2 An order that ends `rejected` or `cancelled` has no parcel on its way, whoever ended it: its events say so.
 * D3 The workflow is told of dispatch and delivery through the outbox, in the turn that makes them true.
 */
import * as v from "valibot";
import { actor, type Duration } from "#runtime";
import { fulfilOrderSignals } from "#workflows/fulfil-order/messages.ts";
import { Address, DeliveryStatus, DeliveryView, ScheduleDelivery, deliveryEvents } from "./messages.ts";

const State = v.object({
  status: DeliveryStatus,
  address: v.nullable(Address),
  workflowId: v.nullable(v.string()),
  customerId: v.optional(v.string()),
  history: v.array(v.object({ status: DeliveryStatus, at: v.string() })),
});
type State = v.InferOutput<typeof State>;

const initial = (): State => ({ status: "none", address: null, workflowId: null, history: [] });
const advance = "advance";

/**
 * Makes the delivery actor with the courier's pace.
 * @param options.step how long a parcel stays `scheduled`, and then `dispatched`. Default `"1s"`.
 */
export function createDelivery({ step = "1s" }: { readonly step?: Duration } = {}) {
  return actor("delivery", {
    state: State,
    initial,
    emits: deliveryEvents,
    messages: ({ command, query }) => ({
      /** Hands the parcel to the courier. Repeated, it changes nothing. */
      schedule: command({ in: ScheduleDelivery, out: DeliveryView }, (c, { address, workflowId, customerId }) => {
        c.require(c.state.status !== "recalled", "delivery_recalled"); // D1
        if (c.state.status === "none") {
          c.state = {
            ...initial(),
            address,
            workflowId: workflowId ?? null,
            ...(customerId === undefined ? {} : { customerId }),
          };
          enter(c, "scheduled");
          c.emit("delivery.scheduled.v1", { ...fact(c), address });
          c.timers.set(advance, { in: step, send: advance });
        }
        return view(c.key, c.state);
      }),

      /** The courier's timer: moves the parcel on by one step. */
      advance: command({}, (c) => {
        const { status, workflowId } = c.state;
        if (status === "scheduled") {
          enter(c, "dispatched");
          c.emit("delivery.dispatched.v1", fact(c));
          c.timers.set(advance, { in: step, send: advance });
          if (workflowId) c.workflow.signal({ id: workflowId, name: fulfilOrderSignals.dispatched }); // D3
        } else if (status === "dispatched") {
          enter(c, "delivered");
          c.emit("delivery.delivered.v1", fact(c));
          if (workflowId) c.workflow.signal({ id: workflowId, name: fulfilOrderSignals.delivered }); // D3
        }
      }),

      /** Takes the parcel back, wherever it is. Repeated, it changes nothing. */
      recall: command({ out: DeliveryView }, (c) => {
        if (c.state.status !== "recalled") {
          enter(c, "recalled");
          c.timers.cancel(advance);
        }
        return view(c.key, c.state);
      }),

      /** Its order has ended without it: the parcel comes back. An order that never had one leaves nothing here. */
      orderEnded: command({}, (c) => {
        if (!c.exists) return c.destroy();
        if (c.state.status === "recalled" || c.state.status === "delivered") return;
        enter(c, "recalled");
        c.timers.cancel(advance);
      }),

      get: query({ out: v.nullable(DeliveryView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
    }),
    subscribe: {
      // The workflow recalls the parcel as well; this holds where the workflow was terminated.
      "order.rejected.v1": { from: "order", to: ({ subject }) => subject, send: "orderEnded" },
      "order.cancelled.v1": { from: "order", to: ({ subject }) => subject, send: "orderEnded" },
    },
  });
}

/** The delivery actor at its default pace; as a name for `troupe.ref`, any pace. */
export const Delivery = createDelivery();

function fact({ key, state }: { readonly key: string; readonly state: Readonly<State> }) {
  return { orderId: key, customerId: state.customerId ?? null };
}

function enter(c: { state: State; readonly now: number }, status: DeliveryStatus): void {
  c.state.status = status;
  c.state.history.push({ status, at: new Date(c.now).toISOString() });
}

function view(orderId: string, { status, address, history }: Readonly<State>): DeliveryView {
  return { orderId, status, address, history: [...history] };
}
