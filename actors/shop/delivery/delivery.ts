/**
 * Delivery: the parcel of one order. A courier moves it on: by the API, or, in the sandbox, by durable timers.
 *
 * | status | exits |
 * |---|---|
 * | none | scheduled, recalled |
 * | scheduled | dispatched, recalled |
 * | dispatched | in_transit, delivered, returning (three failed attempts), lost, recalled |
 * | in_transit | delivered, returning (three failed attempts), lost, recalled |
 * | delivered | returning (the customer sends it back), recalled (its order was undone meanwhile) |
 * | returning | returned, lost, recalled |
 * | recalled, lost, returned | none: final |
 *
 * D1 A parcel recalled before it was scheduled stays recalled: a late `schedule` is refused with `delivery_recalled`.
 * D2 An order that ends `rejected` or `cancelled` has no parcel on its way, whoever ended it: its events say so.
 * D3 The workflow is told of delivery, loss and return through the outbox, in the turn that makes them true, and one that keeps
 *    the time limits itself of the dispatch too. Where the parcel keeps them, its order is told of that instead.
 * D4 An update that the courier repeats, or that comes after a later one, changes nothing; one that cannot be is refused.
 * D5 A parcel that keeps the limits waits a week for its courier; then it stays, and the workflow is told. 30 days after it left
 *    it is lost.
 */
import * as v from "valibot";
import { actor, type Duration, type TurnContext } from "#runtime";
import { fulfilOrderSignals } from "#workflows/fulfil-order/messages.ts";
import { OrderId } from "../order/messages.ts";
import { Order } from "../order/order.ts";
import {
  Address,
  ChangeAddress,
  CourierUpdate,
  type DeliveryChanged,
  deliveryEvents,
  DeliveryStatus,
  DeliveryView,
  ScheduleDelivery,
  StartReturn,
} from "./messages.ts";
import { type CourierOptions, nextStep } from "./sandbox-courier.ts";

/** So often the courier rings; then the parcel goes back. */
const ATTEMPTS = 3;
/** Delivery.D5 */
const DISPATCH_WITHIN = "7d";
const ARRIVE_WITHIN = "30d";

const State = v.object({
  status: DeliveryStatus,
  address: v.nullable(Address),
  workflowId: v.nullable(v.string()),
  customerId: v.optional(v.string()),
  tells: v.optional(v.literal("end")),
  failedAttempts: v.optional(v.number()),
  history: v.array(v.object({ status: v.string(), at: v.string(), note: v.optional(v.string()) })),
});
type State = v.InferOutput<typeof State>;
type Turn = TurnContext<State, typeof deliveryEvents>;

const initial = (): State => ({ status: "none", address: null, workflowId: null, history: [] });
const advance = "advance";
/** The timer of Delivery.D5. */
const limit = "limit";

/** Where each update may come from, and where it leads. */
const MOVES = {
  dispatched: { from: ["scheduled"], event: "delivery.dispatched.v1", signal: fulfilOrderSignals.dispatched },
  in_transit: { from: ["dispatched"], event: "delivery.in-transit.v1", signal: undefined },
  delivered: {
    from: ["dispatched", "in_transit"],
    event: "delivery.delivered.v1",
    signal: fulfilOrderSignals.delivered,
  },
  lost: {
    from: ["dispatched", "in_transit", "returning"],
    event: "delivery.lost.v1",
    signal: fulfilOrderSignals.lost,
  },
  returned: { from: ["returning"], event: "delivery.returned.v1", signal: fulfilOrderSignals.returned },
} as const;

/** How far along a parcel is: an update of an earlier stage is old news (Delivery.D4). */
const STAGE: Readonly<Record<DeliveryStatus, number>> = {
  none: 0,
  scheduled: 1,
  dispatched: 2,
  in_transit: 3,
  delivered: 4,
  returning: 5,
  returned: 6,
  lost: 6,
  recalled: 6,
};

/** Makes the delivery actor with its courier. */
export function createDelivery({ step = "1s", courier = "sandbox" }: CourierOptions = {}) {
  const pace: Duration | undefined = courier === "sandbox" ? step : undefined;
  return actor("delivery", {
    key: OrderId,
    state: State,
    initial,
    emits: deliveryEvents,
    messages: ({ command, query }) => ({
      /** Hands the parcel to the courier. Repeated, it changes nothing. */
      schedule: command(
        { in: ScheduleDelivery, out: DeliveryView },
        (c, { address, workflowId, customerId, tells }) => {
          c.require(c.state.status !== "recalled", "delivery_recalled"); // Delivery.D1
          if (c.state.status === "none") {
            c.state = {
              ...initial(),
              address,
              workflowId: workflowId ?? null,
              ...(customerId === undefined ? {} : { customerId }),
              ...(tells === undefined ? {} : { tells }),
            };
            enter(c, "scheduled", pace);
            if (tells === "end") c.timers.set(limit, { in: DISPATCH_WITHIN, send: "runOut" });
            c.emit("delivery.scheduled.v1", { ...fact(c), address });
          }
          return view(c.key, c.state);
        },
      ),

      /** Sends the parcel elsewhere. Refused with `already_dispatched` once the courier has it. */
      changeAddress: command({ in: ChangeAddress, out: DeliveryView }, (c, { address }) => {
        c.require(c.state.status === "scheduled", "already_dispatched", { status: c.state.status });
        if (JSON.stringify(c.state.address) !== JSON.stringify(address)) {
          c.state.address = address;
          c.emit("delivery.address-changed.v1", { ...fact(c), address });
        }
        return view(c.key, c.state);
      }),

      /** What the courier says (Delivery.D4). Refused with `unknown_delivery`, or `delivery_update_refused` where it cannot be. */
      update: command({ in: CourierUpdate, out: DeliveryView }, (c, { status, note }) => {
        move(c, status, pace, note);
        return view(c.key, c.state);
      }),

      /** The sandbox courier's timer: moves the parcel on by one step. */
      advance: command({}, (c) => {
        const next = nextStep(c.state.status, c.state.address);
        if (next !== undefined) move(c, next, pace);
      }),

      /** The timer of Delivery.D5: the courier has not come, or nobody has heard of the parcel. */
      runOut: command({}, (c) => {
        const { status } = c.state;
        if (status === "scheduled") {
          recall(c);
          tellWorkflow(c, fulfilOrderSignals.overdue);
        } else if (MOVES.lost.from.some((from) => from === status)) {
          move(c, "lost", pace, "Nobody has heard of it");
        }
      }),

      /** The customer sends the parcel back. Repeated, it changes nothing. Refused with `not_delivered`. */
      startReturn: command({ in: StartReturn, out: DeliveryView }, (c, { workflowId }) => {
        const { status } = c.state;
        if (status === "returning" || status === "returned") return view(c.key, c.state);
        c.require(status === "delivered", "not_delivered", { status });
        c.state.workflowId = workflowId ?? null;
        enter(c, "returning", pace);
        c.emit("delivery.return-started.v1", fact(c));
        return view(c.key, c.state);
      }),

      /** Takes the parcel back, wherever it is; a lost one stays lost. Repeated, it changes nothing. */
      recall: command({ out: DeliveryView }, (c) => {
        if (STAGE[c.state.status] < STAGE.recalled) recall(c);
        return view(c.key, c.state);
      }),

      /** Its order has ended without it: the parcel comes back. An order that never had one leaves nothing here. */
      orderEnded: command({}, (c) => {
        if (!c.exists) return c.destroy();
        if (STAGE[c.state.status] < STAGE.delivered) recall(c);
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

function move(c: Turn, status: CourierUpdate["status"], pace: Duration | undefined, note?: string): void {
  const now = c.state.status;
  c.require(now !== "none", "unknown_delivery");
  if (status === "attempt_failed") return attemptFailed(c, pace, note);
  const { from, event, signal } = MOVES[status];
  if (!(from as readonly DeliveryStatus[]).includes(now)) {
    c.require(now === status || STAGE[now] > STAGE[status], "delivery_update_refused", { status: now, update: status });
    return; // Delivery.D4
  }
  enter(c, status, pace, note);
  c.emit(event, fact(c));
  if (status === "dispatched" && c.state.tells === "end") {
    c.send(Order, c.key, "parcelLeft"); // Delivery.D3
    c.timers.set(limit, { in: ARRIVE_WITHIN, send: "runOut" });
  } else if (signal !== undefined) {
    tellWorkflow(c, signal); // Delivery.D3
    if (c.state.tells === "end") c.timers.cancel(limit);
  }
}

function attemptFailed(c: Turn, pace: Duration | undefined, note: string | undefined): void {
  const { status } = c.state;
  if (STAGE[status] > STAGE.in_transit) return; // Delivery.D4
  c.require(status === "dispatched" || status === "in_transit", "delivery_update_refused", {
    status,
    update: "attempt_failed",
  });
  const attempt = (c.state.failedAttempts ?? 0) + 1;
  c.state.failedAttempts = attempt;
  record(c, "attempt_failed", note);
  c.emit("delivery.attempt-failed.v1", { ...fact(c), attempt });
  if (attempt < ATTEMPTS) {
    if (pace !== undefined) c.timers.set(advance, { in: pace, send: advance });
    return;
  }
  enter(c, "returning", pace);
  c.emit("delivery.return-started.v1", fact(c));
}

function recall(c: Turn): void {
  enter(c, "recalled", undefined);
  c.timers.cancel(advance);
  if (c.state.tells === "end") c.timers.cancel(limit);
  c.emit("delivery.recalled.v1", fact(c));
}

function tellWorkflow(c: Turn, name: string): void {
  if (c.state.workflowId !== null) c.workflow.signal({ id: c.state.workflowId, name });
}

function fact({ key, state }: { readonly key: string; readonly state: Readonly<State> }) {
  return { orderId: key, customerId: state.customerId ?? null };
}

/** Enters a status, and has the sandbox courier come where it leads further. */
function enter(c: Turn, status: DeliveryStatus, pace: Duration | undefined, note?: string): void {
  c.state.status = status;
  record(c, status, note);
  if (pace !== undefined && nextStep(status, c.state.address) !== undefined)
    c.timers.set(advance, { in: pace, send: advance });
  else c.timers.cancel(advance);
}

function record(c: Turn, status: string, note: string | undefined): void {
  const moment = { status, at: new Date(c.now).toISOString(), ...(note === undefined ? {} : { note }) };
  c.state.history.push(moment);
  const change: DeliveryChanged = { orderId: c.key, ...moment };
  c.broadcast(`deliveries/${c.key}`, "delivery.changed", change);
}

function view(orderId: string, { status, address, failedAttempts = 0, history }: Readonly<State>): DeliveryView {
  return { orderId, status, address, failedAttempts, history: [...history] };
}
