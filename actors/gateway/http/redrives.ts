import * as v from "valibot";
import { LetterReason, RedriveId, RedriveView } from "#actors/gateway/redrive/messages.ts";
import { Redrive, viewOf } from "#actors/gateway/redrive/redrive.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import { newId } from "#runtime";
import { Filter, filterOf } from "./dead-letter-filter.ts";
import type { GatewayDeps } from "./deps.ts";

const about = { tag: "Dead letters", noun: "redrive", scope: "admin" } as const;
const ById = v.object({ id: RedriveId });
const Request = v.optional(
  v.strictObject({
    filter: v.optional(v.strictObject(Filter), {}),
    ratePerSecond: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(50_000)), 10),
    dryRun: v.optional(v.boolean(), false),
  }),
  {},
);
const Begun = v.object({
  /** How many dead letters fit now. */
  matching: v.number(),
  /** Of which reasons. */
  reasons: v.partial(v.object(Object.fromEntries(LetterReason.options.map((reason) => [reason, v.number()])))),
  /** When the oldest and the newest of them were recorded; `null` where none fits. */
  oldest: v.nullable(v.string()),
  newest: v.nullable(v.string()),
  dryRun: v.boolean(),
  /** What `GET /dead-letters/replays/:id` shows the progress of; `null` for a dry run. */
  id: v.nullable(v.string()),
});

/** Replays of many dead letters: durable, paced, to be looked at and stopped. */
export function redriveRoutes({ troupe }: GatewayDeps) {
  return endpoints("redrives", [
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/dead-letters/replay",
        summary: "Replay the dead letters that fit a filter",
        description:
          "In the background, oldest first, at most `ratePerSecond` (default 10), and on from where it was when its node crashes. The dead letters of a key keep their order: when one fails, those behind it stay. Dead letters recorded after the start are left for the next run. `dryRun` tells what fits, and does nothing.",
        body: Request,
        answer: { status: 202, description: "What fits now, and the id of the run", schema: Begun },
      },
      async ({ body: { filter, ratePerSecond, dryRun }, key, call }) => {
        const wanted = filterOf(filter);
        const found = await troupe().deadLetters.summary(wanted);
        const matching = found.reduce((sum, { count }) => sum + count, 0);
        const told = {
          matching,
          reasons: Object.fromEntries(found.map(({ reason, count }) => [reason, count])),
          oldest: matching === 0 ? null : new Date(Math.min(...found.map(({ oldest }) => oldest))).toISOString(),
          newest: matching === 0 ? null : new Date(Math.max(...found.map(({ newest }) => newest))).toISOString(),
          dryRun,
        };
        if (dryRun) return { ...told, id: null };
        const id = key === undefined ? newId("rdr") : derivedId("rdr", "POST /dead-letters/replay", key);
        await troupe().ref(Redrive, id).start({ filter: wanted, ratePerSecond }, call);
        return new Reply(202, { ...told, id }, { location: `/dead-letters/replays/${id}` });
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/dead-letters/replays",
        summary: "List the replays of many dead letters",
        description: "Those that run, and those that ended within the last week.",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the id", schema: pageOf(RedriveView) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Redrive, page),
          query,
          ({ key, state }) => (state.status === null ? undefined : viewOf(key, state, state.status)),
        ),
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/dead-letters/replays/:id",
        summary: "Show how far a replay has got",
        params: ById,
        answer: { status: 200, description: "The replay", schema: RedriveView },
      },
      async ({ params: { id }, look }) => {
        const view = await troupe().ref(Redrive, id).get(undefined, look);
        if (view === null) throw notFound("redrive");
        return view;
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/dead-letters/replays/:id/stop",
        summary: "Stop a replay",
        description: "What was replayed stays replayed; the rest stays where it is.",
        params: ById,
        answer: { status: 200, description: "The replay as it ended", schema: RedriveView },
      },
      ({ params: { id }, call }) => troupe().ref(Redrive, id).stop(undefined, call),
    ),
  ]);
}
