import * as v from "valibot";
import { LetterReason } from "#actors/gateway/redrive/messages.ts";
import type { DeadLetterFilter } from "#runtime";

const Time = v.pipe(
  v.string(),
  v.check((text) => timeOf(text) !== undefined, "must be a time, as in 2026-01-31T12:00:00Z"),
);

/** The parts of a filter of dead letters, as they come in a query or a body. */
export const Filter = {
  reason: v.optional(LetterReason),
  type: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
  key: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1_000))),
  /** Recorded then or later. */
  from: v.optional(Time),
  /** Recorded before. */
  to: v.optional(Time),
};
const Given = v.object(Filter);

/** The filter for the store. */
export function filterOf({ reason, type, key, from, to }: v.InferOutput<typeof Given>): DeadLetterFilter {
  const times = {
    from: from === undefined ? undefined : timeOf(from),
    before: to === undefined ? undefined : timeOf(to),
  };
  const given = Object.entries({ reason, type, key, ...times }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
