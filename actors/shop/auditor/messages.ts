import * as v from "valibot";

/** One invariant of the shop and whether it holds; `culprits` are orders, SKUs or series that break it, the first few. */
export const InvariantView = v.object({
  name: v.string(),
  holds: v.boolean(),
  expected: v.number(),
  actual: v.number(),
  culprits: v.array(v.string()),
});
export type InvariantView = v.InferOutput<typeof InvariantView>;

/** What a look found. `at` is RFC 3339. */
export const AuditFindings = v.object({ at: v.string(), items: v.array(InvariantView) });

/** What the auditor knows. */
export const AuditView = v.object({
  at: v.nullable(v.string()),
  items: v.array(InvariantView),
  /** Since when each violated invariant is violated, RFC 3339. */
  violatedSince: v.record(v.string(), v.string()),
});

/** Events of the auditor, by wire name. */
export const auditorEvents = {
  "auditor.violated.v1": v.object({ ...InvariantView.entries, at: v.string() }),
  "auditor.restored.v1": v.object({ name: v.string(), at: v.string(), since: v.string() }),
};
