/**
 * Delivery: the parcel of one order, carried by a sandbox courier that moves it on by durable timers.
 *
 * States: none → scheduled → dispatched → delivered; `recalled` from any of them (the sandbox takes returns).
 * Each state but the last sets the timer `advance` that leaves it; `recall` cancels it.
 *
 * D1 A parcel recalled before it was scheduled stays recalled: a late `schedule` is refused with `delivery_recalled`.
 * D2 The workflow is told of dispatch and delivery through the outbox, in the turn that makes them true.
 */
import * as v from "valibot";
import { actor, type Duration } from "#runtime";
import { fulfilOrderSignals } from "#workflows/fulfil-order/messages.ts";
import { Address, DeliveryStatus, DeliveryView, ScheduleDelivery, deliveryEvents } from "./messages.ts";

const State = v.object({
  status: DeliveryStatus,
  address: v.nullable(Address),
  workflowId: v.nullable(v.string()),
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
      schedule: command({ in: ScheduleDelivery, out: DeliveryView }, (c, { address, workflowId }) => {
        c.require(c.state.status !== "recalled", "delivery_recalled"); // D1
        if (c.state.status === "none") {
          c.state = { ...initial(), address, workflowId: workflowId ?? null };
          enter(c, "scheduled");
          c.emit("delivery.scheduled.v1", { orderId: c.key, address });
          c.timers.set(advance, { in: step, send: advance });
        }
        return view(c.key, c.state);
      }),

      /** The courier's timer: moves the parcel on by one step. */
      advance: command({}, (c) => {
        const { status, workflowId } = c.state;
        if (status === "scheduled") {
          enter(c, "dispatched");
          c.emit("delivery.dispatched.v1", { orderId: c.key });
          c.timers.set(advance, { in: step, send: advance });
          if (workflowId) c.workflow.signal({ id: workflowId, name: fulfilOrderSignals.dispatched }); // D2
        } else if (status === "dispatched") {
          enter(c, "delivered");
          c.emit("delivery.delivered.v1", { orderId: c.key });
          if (workflowId) c.workflow.signal({ id: workflowId, name: fulfilOrderSignals.delivered }); // D2
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

      get: query({ out: v.nullable(DeliveryView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
    }),
  });
}

/** The delivery actor at its default pace; as a name for `troupe.ref`, any pace. */
export const Delivery = createDelivery();

function enter(c: { state: State; readonly now: number }, status: DeliveryStatus): void {
  c.state.status = status;
  c.state.history.push({ status, at: new Date(c.now).toISOString() });
}

function view(orderId: string, { status, address, history }: Readonly<State>): DeliveryView {
  return { orderId, status, address, history: [...history] };
}
