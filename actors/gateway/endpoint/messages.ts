import * as v from "valibot";
import { TypePattern } from "#actors/gateway/route/messages.ts";

const Settings = {
  /** Checked by the ingress: never a private address. */
  url: v.pipe(v.string(), v.minLength(1), v.maxLength(2_048)),
  description: v.pipe(v.string(), v.maxLength(500)),
  /** Event types it takes; none: all that routes send it. */
  types: v.pipe(v.array(TypePattern), v.maxLength(50)),
  /** Deliveries a second, at most. */
  ratePerSecond: v.nullable(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1_000))),
};

export const CreateEndpoint = v.strictObject({
  url: Settings.url,
  description: v.optional(Settings.description, ""),
  types: v.optional(Settings.types, []),
  ratePerSecond: v.optional(Settings.ratePerSecond, null),
});
export type CreateEndpoint = v.InferOutput<typeof CreateEndpoint>;

export const ChangeEndpoint = v.strictObject({
  url: v.optional(Settings.url),
  description: v.optional(Settings.description),
  types: v.optional(Settings.types),
  ratePerSecond: v.optional(Settings.ratePerSecond),
  /** `false` stops deliveries; `true` also ends what a failing receiver brought about. */
  enabled: v.optional(v.boolean()),
});

export const DisabledReason = v.picklist(["manual", "failing", "gone"]);

/** Characters of a receiver's answer that are kept: fifty of them are written with every try. */
export const MAX_RESPONSE_SHOWN = 256;

/** One try to deliver. */
export const Attempt = v.object({
  deliveryId: v.string(),
  attempt: v.number(),
  eventId: v.string(),
  eventType: v.string(),
  at: v.string(),
  outcome: v.picklist(["delivered", "failed"]),
  /** The status of the answer; `null` where there was none. */
  status: v.nullable(v.number()),
  detail: v.nullable(v.string()),
  durationMs: v.number(),
  /** The beginning of the answer's body; `null` where there was no answer. */
  response: v.optional(v.nullable(v.pipe(v.string(), v.maxLength(MAX_RESPONSE_SHOWN))), null),
  /** When the next try is due, at the earliest: a rate or an open circuit may make it wait. `null`: there is none. */
  nextTryAt: v.optional(v.nullable(v.string()), null),
});
export type Attempt = v.InferOutput<typeof Attempt>;

export const RecordAttempt = v.strictObject({ ...v.omit(Attempt, ["at"]).entries });

/** An endpoint as it is shown: never with its secrets. */
export const EndpointView = v.object({
  id: v.string(),
  ...CreateEndpoint.entries,
  enabled: v.boolean(),
  disabledBecause: v.nullable(DisabledReason),
  /** Since when every try has failed. */
  failingSince: v.nullable(v.string()),
  secretCount: v.number(),
  createdAt: v.string(),
});
export type EndpointView = v.InferOutput<typeof EndpointView>;

/** An endpoint with the secret that signs for it, shown this once. */
export const EndpointWithSecret = v.object({ ...EndpointView.entries, secret: v.string() });

export const AskDelivery = v.strictObject({
  eventType: v.string(),
  /** The delivery has waited for its place within the rate. */
  reserved: v.boolean(),
});

/** What a delivery may do now. */
export const DeliveryTurn = v.variant("kind", [
  v.object({ kind: v.literal("go") }),
  v.object({ kind: v.literal("wait"), ms: v.number(), reserved: v.boolean() }),
  v.object({ kind: v.literal("stop"), because: v.picklist(["removed", "disabled", "filtered"]) }),
]);
export type DeliveryTurn = v.InferOutput<typeof DeliveryTurn>;

/** What a try needs: for the worker that makes it, and for nobody else. */
export const SigningMaterial = v.nullable(v.object({ url: v.string(), secrets: v.array(v.string()) }));
