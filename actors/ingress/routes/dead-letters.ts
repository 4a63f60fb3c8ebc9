import * as v from "valibot";
import type { ReplayOutcome, StoredDeadLetter } from "#runtime";
import { endpoint, endpoints, notFound } from "../endpoint.ts";
import type { GatewayDeps } from "../gateway/deps.ts";
import { PageQuery, pageOf } from "../listing.ts";
import { Problem } from "../problem.ts";

const Reason = v.picklist(["schema", "route", "broker", "receiver", "poison"]);
const Type = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const Filter = { reason: v.optional(Reason), type: v.optional(Type) };
const Shown = v.object({
  id: v.string(),
  reason: Reason,
  detail: v.string(),
  type: v.nullable(v.string()),
  target: v.string(),
  key: v.string(),
  attempts: v.number(),
  at: v.string(),
});
const Whole = v.object({ ...Shown.entries, record: v.unknown() });
const Failed = v.array(v.object({ id: v.string(), detail: v.string() }));
const Replayed = v.object({ replayed: v.array(v.string()), failed: Failed });
const ReplayRequest = v.optional(
  v.strictObject({
    filter: v.optional(v.strictObject(Filter), {}),
    ratePerSecond: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(1_000)), 10),
    dryRun: v.optional(v.boolean(), false),
  }),
  {},
);
const ById = v.object({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)) });
/** Letters a dry run looks at, at most. */
const MAX_COUNTED = 10_000;

// A letter holds whatever failed, of any actor.
const about = { tag: "Dead letters", noun: "dead_letter", scope: "admin" } as const;

/** What will not be tried again by itself. An id in a path is percent-encoded. */
export function deadLetterRoutes({ troupe, log }: GatewayDeps) {
  return endpoints("dead-letters", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/dead-letters",
        summary: "List dead letters",
        description:
          "`schema`: the data did not fit. `route`: the place of a route is wrong. `broker`, `receiver`: refused there for good. `poison`: an actor failed on it again and again.",
        query: v.object({ ...Filter, ...PageQuery }),
        answer: { status: 200, description: "A page, oldest first per store", schema: pageOf(Shown) },
      },
      async ({ query: { reason, type, limit, cursor } }) => {
        const page = {
          limit,
          ...(reason === undefined ? {} : { reason }),
          ...(type === undefined ? {} : { type }),
          ...(cursor === undefined ? {} : { after: cursor }),
        };
        const { items, next } = await troupe().deadLetters.list(page).catch(badCursor);
        return { items: items.map(shown), next: next ?? null };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/dead-letters/:id",
        summary: "Show a dead letter",
        params: ById,
        answer: { status: 200, description: "The letter, with what it was", schema: Whole },
      },
      async ({ params: { id } }) => {
        const letter = await troupe().deadLetters.get(id);
        if (letter === undefined) throw notFound("dead_letter");
        return { ...shown(letter), record: JSON.parse(letter.record) as unknown };
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/dead-letters/:id/replay",
        summary: "Replay a dead letter",
        description:
          "After the older ones of its key, whose order is kept. It takes effect once, however often it is replayed. One that fails again stays.",
        params: ById,
        answer: { status: 200, description: "What was replayed, and what failed", schema: Replayed },
      },
      async ({ params: { id } }) => {
        const outcome = await troupe().deadLetters.replay(id);
        if (outcome === undefined) throw notFound("dead_letter");
        return told(outcome);
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/dead-letters/replay",
        summary: "Replay the dead letters that fit a filter",
        description:
          "In the background, oldest first, at most `ratePerSecond` (default 10). `dryRun` counts, and does nothing.",
        body: ReplayRequest,
        answer: {
          status: 202,
          description: "How many fit now",
          schema: v.object({ matching: v.number(), dryRun: v.boolean() }),
        },
      },
      async ({ body: { filter, ratePerSecond, dryRun } }) => {
        const wanted = {
          ...(filter.reason === undefined ? {} : { reason: filter.reason }),
          ...(filter.type === undefined ? {} : { type: filter.type }),
        };
        const { deadLetters } = troupe();
        let matching = 0;
        for (let after: string | undefined; matching < MAX_COUNTED;) {
          const page = await deadLetters.list({ ...wanted, limit: 200, ...(after === undefined ? {} : { after }) });
          matching += page.items.length;
          after = page.next;
          if (after === undefined) break;
        }
        if (!dryRun) {
          void deadLetters.replayAll(wanted, { ratePerSecond }).then(
            ({ replayed, failed }) =>
              log("info", "dead-letters:replayed", { replayed: replayed.length, failed: failed.length }),
            (error: unknown) => log("error", "dead-letters:replay:failed", { error }),
          );
        }
        return { matching, dryRun };
      },
    ),
    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/dead-letters/:id",
        summary: "Drop a dead letter for good",
        params: ById,
        answer: { status: 204, description: "Gone" },
      },
      async ({ params: { id } }) => {
        if (!(await troupe().deadLetters.drop(id))) throw notFound("dead_letter");
        return undefined;
      },
    ),
  ]);
}

function shown({ id, reason, detail, type, target, key, attempts, at }: StoredDeadLetter): v.InferOutput<typeof Shown> {
  return { id, reason, detail, type: type ?? null, target, key, attempts, at: new Date(at).toISOString() };
}

function told({ replayed, failed }: ReplayOutcome): v.InferOutput<typeof Replayed> {
  return { replayed: [...replayed], failed: failed.map(({ id, detail }) => ({ id, detail })) };
}

function badCursor(error: unknown): never {
  if (!(error instanceof TypeError)) throw error;
  throw new Problem(422, "invalid_input", "The content does not fit: see errors", {
    issues: [{ path: "query/cursor", message: "must be the next of a page" }],
  });
}
