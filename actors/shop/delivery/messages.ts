import * as v from "valibot";

/** Where a parcel goes: free text, or named lines (`{street, city}`). */
export const Address = v.union([
  v.pipe(v.string(), v.maxLength(500)),
  v.record(v.pipe(v.string(), v.maxLength(50)), v.pipe(v.string(), v.maxLength(200))),
]);
export type Address = v.InferOutput<typeof Address>;

export const ScheduleDelivery = v.object({
  orderId: v.string(),
  address: v.nullable(Address),
  /** Whom the events are to say it is for. */
  customerId: v.optional(v.string()),
  /** The workflow that wants to hear of dispatch and delivery. None: nobody is told. */
  workflowId: v.optional(v.string()),
});

export const DeliveryStatus = v.picklist(["none", "scheduled", "dispatched", "delivered", "recalled"]);
export type DeliveryStatus = v.InferOutput<typeof DeliveryStatus>;

/** What `GET /deliveries/:orderId` shows. `history` times are RFC 3339. */
export const DeliveryView = v.object({
  orderId: v.string(),
  status: DeliveryStatus,
  address: v.nullable(Address),
  history: v.array(v.object({ status: DeliveryStatus, at: v.string() })),
});
export type DeliveryView = v.InferOutput<typeof DeliveryView>;

/** `customerId` is null where nobody said whom the parcel is for. */
const Fact = v.object({ orderId: v.string(), customerId: v.optional(v.nullable(v.string())) });

/** Events of a delivery actor, by wire name. */
export const deliveryEvents = {
  "delivery.scheduled.v1": v.object({ ...Fact.entries, address: v.nullable(Address) }),
  "delivery.dispatched.v1": Fact,
  "delivery.delivered.v1": Fact,
};
