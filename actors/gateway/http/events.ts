import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import type { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { Name } from "#actors/gateway/route/messages.ts";
import { isReservedSource } from "#actors/gateway/route/reserved.ts";
import { type Ask, type Endpoint, endpoint, notFound, Reply } from "#infra/http/endpoint.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { jsonSchemaOf } from "#infra/http/json-schema.ts";
import { operationOf } from "#infra/http/operation.ts";
import { Problem } from "#infra/http/problem.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { traceFrom } from "#infra/http/trace.ts";
import { type Incoming, PLAIN_SOURCE, PlainEvent, readEvents, structuredEvent } from "./cloud-event.ts";
import type { GatewayDeps } from "./deps.ts";
import { type Taken, takeEvent } from "./intake.ts";
import { readWebhook } from "./webhook.ts";

const One = v.object({ id: v.string(), status: v.picklist(["accepted", "duplicate"]) });
const Issue = v.object({
  path: v.string(),
  message: v.string(),
  expected: v.optional(v.string()),
  received: v.optional(v.string()),
});
const Item = v.object({
  id: v.nullable(v.string()),
  status: v.picklist(["accepted", "duplicate", "rejected"]),
  code: v.optional(v.string()),
  detail: v.optional(v.string()),
  errors: v.optional(v.array(Issue)),
});
const Answered = v.union([One, v.object({ items: v.array(Item) })]);
type Answered = v.InferOutput<typeof Answered>;

/** Issues of one item of a batch, at most. */
const MAX_ITEM_ISSUES = 20;

const about = { tag: "Events", noun: "event", scope: "events" } as const;
const DUPLICATE = { status: 200, description: "Accepted before, with the same content", schema: One } as const;

/** Where events come in. Bodies are read here and not by the endpoint: their form is told by headers, and signatures are over bytes. */
export function eventRoutes(deps: GatewayDeps) {
  const accept = acceptEvents(deps);
  const webhook = acceptWebhook(deps);
  const json = { schema: jsonSchemaOf(PlainEvent, "input") };
  const detail = {
    ...operationOf(accept.spec),
    requestBody: {
      required: true,
      content: {
        "application/json": json,
        "application/cloudevents+json": {},
        "application/cloudevents-batch+json": {},
      },
    },
  } as object as DocumentDecoration;
  return new Elysia({ name: "events" })
    .post("/events", ({ request, params }) => accept.run(request, params), { parse: "none", detail })
    .post("/events/:source", ({ request, params }) => webhook.run(request, params), {
      parse: "none",
      detail: operationOf(webhook.spec) as object as DocumentDecoration,
    });
}

function acceptEvents(deps: GatewayDeps): Endpoint {
  return endpoint(
    {
      ...about,
      method: "POST",
      path: "/events",
      summary: "Take an event, or a batch",
      description:
        "A CloudEvent (structured, binary or batch), or `{type, data, id?, subject?}`. The answer comes after the commit. With an id an event is taken once. In a batch every item has a result of its own.",
      answer: { status: 202, description: "Durable, and on its way", schema: Answered },
      otherAnswers: [DUPLICATE],
      problems: [400, 413, 415, 422],
    },
    async ({ request, key, look }) => {
      const incoming = await readEvents(
        request,
        key === undefined ? undefined : () => derivedId("evt", "POST /events", key),
      );
      if (incoming.kind === "one") {
        const { event } = incoming;
        if (event.source !== PLAIN_SOURCE) refuseReserved(event, await reservedSources(deps));
        return replyOf(await takeEvent(deps.troupe(), event, look.traceparent));
      }
      return { items: await takeBatch(deps, incoming, look, await reservedSources(deps)) };
    },
  );
}

function acceptWebhook(deps: GatewayDeps): Endpoint {
  return endpoint(
    {
      ...about,
      // Whoever sends webhooks has no key of ours: the signature is what is checked.
      scope: "open",
      method: "POST",
      path: "/events/:source",
      summary: "Take a webhook of a registered source",
      description: "The signature is verified over the exact bytes of the body.",
      params: v.object({ source: Name }),
      answer: { status: 202, description: "Durable, and on its way", schema: One },
      otherAnswers: [DUPLICATE],
      problems: [400, 401, 413, 415, 422],
    },
    async ({ request, params: { source: name }, look }) => {
      const source = await deps.directory().source(name);
      if (source === undefined) throw notFound("source");
      if (source === "unreadable")
        throw new Problem(503, "unavailable", "The secrets of this source cannot be read right now", {
          retryAfter: 60,
        });
      const { event, once } = await readWebhook(name, source, request, deps.log);
      return replyOf(await takeEvent(deps.troupe(), event, look.traceparent, once));
    },
  );
}

/** Whether nobody but ourselves and our registered sources may say that an event comes from there. */
async function reservedSources({ directory, nouns }: GatewayDeps): Promise<(source: string) => boolean> {
  const known = directory();
  await known.ready;
  return (source) => isReservedSource(source, nouns(), (name) => known.hasSource(name));
}

/** @throws {Problem} 422 */
function refuseReserved({ source }: GatewayEvent, isReserved: (source: string) => boolean): void {
  if (source === PLAIN_SOURCE || !isReserved(source)) return;
  const message = "is the source of our own events or of a registered source";
  throw new Problem(422, "event.source_reserved", "This source does not post events here: see errors", {
    issues: [
      { path: "/source", message, expected: "a source of your own", received: JSON.stringify(source).slice(0, 100) },
    ],
  });
}

function replyOf(taken: Taken): Reply<Taken> {
  return new Reply(taken.status === "accepted" ? 202 : 200, taken);
}

/** One after the other per subject, as they stand in the batch: what is asked for first is in the inbox first. */
async function takeBatch(
  deps: GatewayDeps,
  { items }: Extract<Incoming, { readonly kind: "batch" }>,
  { traceparent }: Ask<undefined, undefined, undefined>["look"],
  isReserved: (source: string) => boolean,
): Promise<v.InferOutput<typeof Item>[]> {
  const troupe = deps.troupe();
  const last = new Map<string, Promise<unknown>>();
  return await Promise.all(
    items.map(async (item) => {
      let id: string | null = null;
      try {
        const event = structuredEvent(item);
        id = event.id;
        refuseReserved(event, isReserved);
        const order = event.subject ?? event.id;
        const taking = (last.get(order) ?? Promise.resolve()).then(() =>
          takeEvent(troupe, event, traceFrom(traceparent).traceparent),
        );
        last.set(
          order,
          taking.catch(() => undefined),
        );
        return await taking;
      } catch (error) {
        const problem = toProblem(error, { noun: "event" });
        if (problem.code === "internal") deps.log("error", "gateway:item:failed", { error: problem.cause });
        const errors = problem.issues?.slice(0, MAX_ITEM_ISSUES).map((issue) => ({ ...issue }));
        const { code, message: detail } = problem;
        return { id, status: "rejected" as const, code, detail, ...(errors === undefined ? {} : { errors }) };
      }
    }),
  );
}
