import * as v from "valibot";
import { LetterReason } from "#actors/gateway/redrive/messages.ts";
import { Time } from "#infra/http/fields.ts";
import { parseDateTime } from "#infra/time/rfc3339.ts";
import type { DeadLetterFilter } from "#runtime";

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
    from: from === undefined ? undefined : parseDateTime(from),
    before: to === undefined ? undefined : parseDateTime(to),
  };
  const given = Object.entries({ reason, type, key, ...times }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
