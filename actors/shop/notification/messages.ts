import * as v from "valibot";

/** One notification. `at` is when the event happened, RFC 3339. */
export const Notice = v.object({
  /** The id of the event it tells of. */
  id: v.string(),
  type: v.string(),
  orderId: v.string(),
  text: v.string(),
  at: v.string(),
});
export type Notice = v.InferOutput<typeof Notice>;

/** What `GET /notifications/:customerId` shows: the last notifications, newest first. */
export const Notifications = v.object({ customerId: v.string(), items: v.array(Notice) });
export type Notifications = v.InferOutput<typeof Notifications>;
