import * as v from "valibot";

/** Where a parcel goes: free text, or named lines (`{street, city, country}`; `country` as in `DE`). */
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
  /**
   * What the workflow hears. `end`: what the parcel comes to, alone; then the parcel tells its order that it has left, and keeps
   * the time limits of its way. Without it the workflow is told of each step, and keeps the limits itself.
   */
  tells: v.optional(v.literal("end")),
});

/** The way of a parcel; see `delivery.ts`. */
export const DeliveryStatus = v.picklist([
  "none",
  "scheduled",
  "dispatched",
  "in_transit",
  "delivered",
  "recalled",
  "lost",
  "returning",
  "returned",
]);
export type DeliveryStatus = v.InferOutput<typeof DeliveryStatus>;

/** What a courier tells. `attempt_failed`: nobody was there; after the third the parcel comes back. */
export const CourierUpdate = v.strictObject({
  status: v.picklist(["dispatched", "in_transit", "attempt_failed", "delivered", "lost", "returned"]),
  /** For people, as in "Left with the neighbour". */
  note: v.optional(v.pipe(v.string(), v.maxLength(200))),
});
export type CourierUpdate = v.InferOutput<typeof CourierUpdate>;

/** What is asked of a parcel that was delivered: that it comes back. The workflow hears of its arrival. */
export const StartReturn = v.object({ workflowId: v.optional(v.string()) });

export const ChangeAddress = v.object({ address: Address });

const Moment = v.object({ status: v.string(), at: v.string(), note: v.optional(v.string()) });

/** What `GET /deliveries/:orderId` shows. `history` times are RFC 3339; failed attempts stand in it as `attempt_failed`. */
export const DeliveryView = v.object({
  orderId: v.string(),
  status: DeliveryStatus,
  address: v.nullable(Address),
  /** How often the courier rang in vain. */
  failedAttempts: v.number(),
  history: v.array(Moment),
});
export type DeliveryView = v.InferOutput<typeof DeliveryView>;

/** `customerId` is null where nobody said whom the parcel is for. */
const Fact = v.object({ orderId: v.string(), customerId: v.optional(v.nullable(v.string())) });

/** Events of a delivery actor, by wire name. */
export const deliveryEvents = {
  "delivery.scheduled.v1": v.object({ ...Fact.entries, address: v.nullable(Address) }),
  "delivery.address-changed.v1": v.object({ ...Fact.entries, address: v.nullable(Address) }),
  "delivery.dispatched.v1": Fact,
  "delivery.in-transit.v1": Fact,
  "delivery.attempt-failed.v1": v.object({ ...Fact.entries, attempt: v.number() }),
  "delivery.delivered.v1": Fact,
  "delivery.recalled.v1": Fact,
  "delivery.lost.v1": Fact,
  "delivery.return-started.v1": Fact,
  "delivery.returned.v1": Fact,
};

/** What the topic `deliveries/<orderId>` carries, as `delivery.changed`. */
export interface DeliveryChanged {
  readonly orderId: string;
  readonly status: string;
  readonly at: string;
  readonly note?: string;
}
