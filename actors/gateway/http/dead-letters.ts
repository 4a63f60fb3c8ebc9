import * as v from "valibot";
import { carried } from "#actors/gateway/inbox/exact-data.ts";
import type { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { LetterReason } from "#actors/gateway/redrive/messages.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { principalOf } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";
import type { ReplayOutcome, StoredDeadLetter } from "#runtime";
import { dataOf, eventOf, isEditable, withData } from "./dead-letter-data.ts";
import { Filter, filterOf } from "./dead-letter-filter.ts";
import type { GatewayDeps } from "./deps.ts";
import { misfitOf } from "./intake.ts";

const Shown = v.object({
  id: v.string(),
  reason: LetterReason,
  detail: v.string(),
  type: v.nullable(v.string()),
  target: v.string(),
  key: v.string(),
  attempts: v.number(),
  at: v.string(),
  /** When it was edited last; `null` for one that was not. */
  editedAt: v.nullable(v.string()),
});
const Whole = v.object({
  ...Shown.entries,
  /** What a replay gives back: the data of the event, or the input of the message. */
  data: v.unknown(),
  /** The data as it failed; `null` for a dead letter that was not edited. */
  original: v.nullable(v.object({ data: v.unknown() })),
  edits: v.array(v.object({ at: v.string(), by: v.nullable(v.string()) })),
  record: v.unknown(),
});
const Failed = v.array(v.object({ id: v.string(), detail: v.string() }));
const Replayed = v.object({ replayed: v.array(v.string()), failed: Failed });
const Edit = v.strictObject({ data: v.unknown() });
const ById = v.object({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(1_000)) });

// A dead letter holds whatever failed, of any actor.
const about = { tag: "Dead letters", noun: "dead_letter", scope: "admin" } as const;

/** What will not be tried again by itself. An id in a path is percent-encoded. */
export function deadLetterRoutes({ troupe, directory }: GatewayDeps) {
  /** @throws {Problem} 422 unless new data fits the schema of the event's type, as it is now. */
  async function checkData(id: string, data: unknown): Promise<void> {
    const letter = await troupe().deadLetters.get(id);
    if (letter === undefined) throw notFound("dead_letter");
    if (!isEditable(letter))
      throw new Problem(409, "dead_letter.not_editable", "This dead letter holds neither an event nor a message");
    const event = eventOf(letter.record);
    const misfits = event && (await misfitOf(directory(), { ...withoutData(event), ...carried(data) }));
    if (misfits === undefined) return;
    if (misfits === "unavailable")
      throw new Problem(503, "unavailable", "The schema of this type cannot be used right now: try again", {
        retryAfter: 1,
      });
    throw new Problem(422, "event.schema_violation", `The data does not fit the schema of ${event?.type}: see errors`, {
      issues: misfits,
    });
  }

  return endpoints("dead-letters", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/dead-letters",
        summary: "List dead letters",
        description:
          "`schema`: the data did not fit. `route`: the place of a route is wrong. `broker`, `receiver`: refused there for good. `poison`: an actor failed on it again and again. `key` is what a replay keeps the order of; `from` and `to` (excluded) bound the time of recording. Letters that come or go meanwhile shift no page.",
        query: v.strictObject({ ...Filter, ...PageQuery }),
        answer: { status: 200, description: "A page, oldest first per store", schema: pageOf(Shown) },
      },
      async ({ query: { limit, cursor, ...filter } }) => {
        const page = { ...filterOf(filter), limit, ...(cursor === undefined ? {} : { after: cursor }) };
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
        return whole(letter);
      },
    ),
    endpoint(
      {
        ...about,
        method: "PATCH",
        path: "/dead-letters/:id",
        summary: "Change what a replay of a dead letter gives back",
        description:
          "`data` takes the place of the event's data, or of the message's input. It has to fit the schema that the type has now. What failed is kept as `original`, and each edit with its time and key in `edits`. Ids stay: to whoever knows it, it is the same event.",
        params: ById,
        body: Edit,
        exact: true,
        answer: { status: 200, description: "The letter as it is now", schema: Whole },
      },
      async ({ request, params: { id }, body: { data } }) => {
        await checkData(id, data);
        const by = principalOf(request)?.keyId;
        const edited = await troupe().deadLetters.edit(id, (body) => withData(body, data), by);
        if (edited === undefined) throw notFound("dead_letter");
        return whole(edited);
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

function withoutData({ data: _, data_json: __, data_base64: ___, ...event }: GatewayEvent): GatewayEvent {
  return event;
}

function shown({
  id,
  reason,
  detail,
  type,
  target,
  key,
  attempts,
  at,
  edits,
}: StoredDeadLetter): v.InferOutput<typeof Shown> {
  const editedAt = edits?.at(-1)?.at;
  return {
    ...{ id, reason, detail, type: type ?? null, target, key, attempts },
    at: new Date(at).toISOString(),
    editedAt: editedAt === undefined ? null : new Date(editedAt).toISOString(),
  };
}

function whole(letter: StoredDeadLetter): v.InferOutput<typeof Whole> {
  const { record, original, edits = [] } = letter;
  return {
    ...shown(letter),
    data: dataOf(record) ?? null,
    original: original === undefined ? null : { data: dataOf(original) ?? null },
    edits: edits.map(({ at, by }) => ({ at: new Date(at).toISOString(), by: by ?? null })),
    record: JSON.parse(record) as unknown,
  };
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
