import * as v from "valibot";

/** What a search may find, in the order in which it is told: what explains most comes first. */
export const HIT_KINDS = [
  "order",
  "workflow",
  "trace",
  "dead_letter",
  "service",
  "actor",
  "event",
  "log",
  "route",
  "source",
  "schema",
  "endpoint",
] as const;
export type HitKind = (typeof HIT_KINDS)[number];

/** One thing that a search found. */
export const Hit = v.object({
  kind: v.picklist(HIT_KINDS),
  id: v.pipe(v.string(), v.description("What it is found by at its own routes")),
  title: v.pipe(v.string(), v.description("What people call it")),
  status: v.pipe(v.nullable(v.string()), v.description("As its own route says it")),
  detail: v.pipe(v.nullable(v.string()), v.description("The next thing one wants to know: of a failure its cause")),
  failed: v.pipe(v.boolean(), v.description("Whether it is in trouble, or tells of some")),
  at: v.pipe(v.nullable(v.string()), v.description("When it last moved, as far as that is known")),
  page: v.pipe(v.string(), v.description("The page that shows it")),
  api: v.pipe(v.nullable(v.string()), v.description("The route that answers with it")),
});
export type Hit = v.InferOutput<typeof Hit>;

/** A hit with what most have none of. */
export function hit(found: Pick<Hit, "kind" | "id" | "page"> & Partial<Hit>): Hit {
  return { title: found.id, status: null, detail: null, failed: false, at: null, api: null, ...found };
}

/** Of each kind at most so many. */
export const HITS_OF_A_KIND = 10;
