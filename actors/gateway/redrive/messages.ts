import * as v from "valibot";

/** `rdr_` and a UUID. */
export const RedriveId = v.pipe(v.string(), v.regex(/^rdr_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/));

export const LetterReason = v.picklist(["schema", "route", "broker", "receiver", "poison"]);

/** Which dead letters. Times are milliseconds since the epoch; `before` is left out itself. */
export const LetterFilter = v.strictObject({
  reason: v.optional(LetterReason),
  type: v.optional(v.string()),
  key: v.optional(v.string()),
  from: v.optional(v.number()),
  before: v.optional(v.number()),
});
export type LetterFilter = v.InferOutput<typeof LetterFilter>;

export const StartRedrive = v.strictObject({
  filter: LetterFilter,
  ratePerSecond: v.pipe(v.number(), v.minValue(0.1), v.maxValue(50_000)),
});

/** `stopped`: by somebody, or since too many failed in a row. */
export const RedriveStatus = v.picklist(["running", "completed", "stopped"]);

/** How far a redrive has got. */
export const RedriveView = v.object({
  id: v.string(),
  status: RedriveStatus,
  ratePerSecond: v.number(),
  /** How many dead letters fitted at the start. */
  matching: v.number(),
  /** Dead letters that took effect and are gone. After a crash on the way a few may be missing here. */
  replayed: v.number(),
  /** Dead letters that failed again, and stay. */
  failed: v.number(),
  /** Dead letters that stay as an older one of their key failed. */
  heldUp: v.number(),
  /** The last dead letters that failed, the newest first. */
  failures: v.array(v.object({ id: v.string(), detail: v.string() })),
  startedAt: v.string(),
  endedAt: v.nullable(v.string()),
  /** Why it was stopped, or what holds it up right now. */
  detail: v.nullable(v.string()),
});
export type RedriveView = v.InferOutput<typeof RedriveView>;
