import * as v from "valibot";

/** One notification. `at` is when the event happened, RFC 3339. */
export const Notice = v.object({
  /** The id of the event it tells of. */
  id: v.string(),
  type: v.string(),
  orderId: v.string(),
  text: v.string(),
  at: v.string(),
  read: v.optional(v.boolean()),
});
export type Notice = v.InferOutput<typeof Notice>;

/** What was read: these notices, or `all` of them. */
export const ReadNotices = v.strictObject({
  ids: v.union([v.literal("all"), v.pipe(v.array(v.pipe(v.string(), v.maxLength(200))), v.maxLength(500))]),
});

/** What `GET /notifications/:customerId` shows: the last notifications, newest first. */
export const Notifications = v.object({ customerId: v.string(), unread: v.number(), items: v.array(Notice) });
export type Notifications = v.InferOutput<typeof Notifications>;

/** What the topic `notifications/<customerId>` carries as `notification.read`. */
export interface NoticesRead {
  readonly ids: readonly string[] | "all";
  readonly unread: number;
}
