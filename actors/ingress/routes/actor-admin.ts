import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { type ActorInspection, RefusedError, TroupeError } from "#runtime";
import type { IngressDeps } from "../deps.ts";
import { refusedBy } from "../refusals.ts";
import { withoutSecrets } from "../without-secrets.ts";

const Type = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,62}$/, "must be the name of an actor type"));
const Key = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const ByAddress = v.object({ type: Type, key: Key });
const ByMessage = v.object({ ...ByAddress.entries, message: v.pipe(v.string(), v.regex(/^[A-Za-z_]\w{0,99}$/)) });
const PauseRequest = v.optional(
  v.strictObject({ reason: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1_000))) }),
);

const Timer = v.object({
  name: v.string(),
  dueAt: v.string(),
  send: v.string(),
  with: v.optional(v.unknown()),
  cron: v.optional(v.string()),
  zone: v.optional(v.string()),
  everyMs: v.optional(v.number()),
  missed: v.optional(v.picklist(["once", "all", "skip"])),
});
const Turn = v.object({
  message: v.string(),
  origin: v.picklist(["call", "send", "timer", "replay", "control"]),
  id: v.nullable(v.string()),
  attempt: v.number(),
  at: v.string(),
  durationMs: v.number(),
  outcome: v.string(),
});
const Shown = v.object({
  type: v.string(),
  key: v.string(),
  exists: v.boolean(),
  version: v.number(),
  state: v.unknown(),
  paused: v.nullable(v.object({ since: v.string(), reason: v.string() })),
  timers: v.array(Timer),
  active: v.boolean(),
  mailboxDepth: v.number(),
  turns: v.array(Turn),
  nodeId: v.string(),
  partition: v.number(),
});
const Address = v.object({ type: v.string(), key: v.string() });
const Replied = v.object({ reply: v.unknown() });

const about = { tag: "Actors", noun: "actor", scope: "admin" } as const;

/**
 * A look at one actor, and what an administrator may do to it: any actor of any type, by its address. A key in a path is
 * percent-encoded.
 */
export function actorAdminRoutes({ troupe }: Pick<IngressDeps, "troupe">) {
  const change = (verb: "resume" | "reload", summary: string, description: string): ReturnType<typeof endpoint> =>
    endpoint(
      {
        ...about,
        method: "POST",
        path: `/actors/:type/:key/${verb}`,
        summary,
        description,
        params: ByAddress,
        answer: { status: 200, description: "Done", schema: Address },
      },
      async ({ params: { type, key } }) => {
        await orNotFound(troupe()[verb](type, key));
        return { type, key };
      },
    );

  return endpoints("actor-admin", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/actors/:type/:key",
        summary: "Show an actor",
        description: "The committed state, the timers, whether it is paused, and its last turns while it is in memory.",
        params: ByAddress,
        answer: { status: 200, description: "The actor", schema: Shown },
      },
      async ({ params: { type, key } }) => {
        const seen = await orNotFound(troupe().inspect(type, key));
        if (!seen.exists && !seen.active && seen.paused === undefined && seen.timers.length === 0)
          throw notFound("actor");
        return shown(seen);
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/actors/:type/:key/pause",
        summary: "Pause an actor",
        description:
          "It begins no turn any more: calls get 503 `paused`, timers and sends wait in order, reads are answered. It stays so over restarts.",
        params: ByAddress,
        body: PauseRequest,
        answer: { status: 200, description: "Done", schema: Address },
      },
      async ({ params: { type, key }, body }) => {
        await orNotFound(troupe().pause(type, key, body?.reason ?? "paused by an administrator"));
        return { type, key };
      },
    ),
    change("resume", "Resume an actor", "What waits for it comes in order."),
    change(
      "reload",
      "Load an actor anew",
      "Drops it from memory; messages that come meanwhile wait. Frees an actor whose turn hangs.",
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/actors/:type/:key/:message",
        summary: "Send an actor a message",
        description: "The body is the input of the message, as its schema asks; none for a message without input.",
        params: ByMessage,
        body: v.optional(v.unknown()),
        answer: { status: 200, description: "What it replied; `null` for nothing", schema: Replied },
        problems: [409],
      },
      async ({ params: { type, key, message }, body, call }) => {
        try {
          return { reply: (await orNotFound(troupe().call(type, key, message, body, call))) ?? null };
        } catch (error) {
          // Its words are the actor's, not this route's.
          throw error instanceof RefusedError ? toProblem(error, refusedBy(type)) : error;
        }
      },
    ),
  ]);
}

/** An address or message that cannot be is not there. */
async function orNotFound<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof TroupeError)) throw error;
    if (error.code === "unknown_actor") throw notFound("actor");
    if (error.code === "unknown_message") throw notFound("message");
    throw error;
  }
}

function shown({ paused, timers, turns, ...seen }: ActorInspection): v.InferInput<typeof Shown> {
  return {
    ...seen,
    state: withoutSecrets(seen.state ?? null),
    paused: paused === undefined ? null : { since: timeText(paused.since), reason: paused.reason },
    timers: timers.map(({ dueAt, every, ...timer }) => ({
      ...timer,
      dueAt: timeText(dueAt),
      ...(every !== undefined && { everyMs: every }),
    })),
    turns: turns.map(({ at, id, ...turn }) => ({ ...turn, id: id ?? null, at: timeText(at) })),
  };
}

/** RFC 3339; the end of time for one beyond it. */
function timeText(at: number): string {
  return new Date(Math.max(-8.64e15, Math.min(8.64e15, at))).toISOString();
}
