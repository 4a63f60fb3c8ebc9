import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { describedBy } from "#infra/http/json-schema.ts";
import { jsonSchemaOf } from "#infra/http/json-schema.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { check } from "#infra/http/validate.ts";
import { RUN_STATUSES } from "#workflows/run-status.ts";
import type { IngressDeps } from "../deps.ts";

const Name = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/, "must be a name"));
const WorkflowId = v.pipe(v.string(), v.regex(/^[\x21-\x7e]{1,200}$/, "must be 1 to 200 visible ASCII characters"));
const ById = v.object({ id: WorkflowId });
const ByIdAndName = v.object({ id: WorkflowId, name: Name });
const Started = v.object({
  workflowId: v.string(),
  runId: v.string(),
  links: v.object({ temporal: v.nullable(v.string()) }),
});
const Type = v.object({ name: v.string(), taskQueue: v.string(), input: v.record(v.string(), v.unknown()) });
const Summary = v.object({
  workflowId: v.string(),
  runId: v.string(),
  type: v.string(),
  status: v.string(),
  startedAt: v.string(),
  closedAt: v.nullable(v.string()),
});
const Description = v.object({
  ...Summary.entries,
  taskQueue: v.string(),
  result: v.unknown(),
  failure: v.nullable(v.object({ type: v.string(), message: v.string() })),
  pendingActivities: v.array(v.object({ type: v.string(), attempt: v.number(), lastFailure: v.nullable(v.string()) })),
  memo: v.record(v.string(), v.unknown()),
  links: v.object({ temporal: v.nullable(v.string()) }),
});
const Steps = v.object({
  runId: v.string(),
  steps: v.array(
    v.object({
      at: v.string(),
      kind: v.picklist(["started", "activity", "wait", "signal", "update", "ended"]),
      name: v.string(),
      status: v.picklist(["done", "failed", "under_way", "cut_short"]),
      attempt: v.number(),
      tookMs: v.nullable(v.number()),
      failure: v.nullable(v.string()),
      value: v.pipe(
        v.unknown(),
        v.description(
          "The input of a start, signal or update, the result of an activity or end, the milliseconds of a wait",
        ),
      ),
    }),
  ),
  earlier: v.pipe(v.number(), v.description("Steps before these that are left out")),
});
/** What a signal or an update is given: one JSON value, or nothing. */
const OneInput = v.optional(v.strictObject({ input: v.optional(v.unknown()) }));
const Status = v.pipe(
  v.string(),
  describedBy({ type: "string", enum: RUN_STATUSES }),
  v.toUpperCase(),
  v.picklist(RUN_STATUSES),
);

const about = { tag: "Workflows", noun: "workflow", scope: "admin" } as const;

/** Starting, watching and steering workflows. A workflow id in a path is percent-encoded: `fulfil-order%2Ford_42`. */
export function workflowRoutes({ workflows, links }: Pick<IngressDeps, "workflows" | "links">) {
  return endpoints("workflows", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/workflows/types",
        summary: "List the workflows that can be started",
        answer: {
          status: 200,
          description: "Names, and the JSON Schema of each input",
          schema: v.object({ items: v.array(Type) }),
        },
      },
      () => ({
        items: workflows().types.map(({ name, taskQueue, input }) => ({
          name,
          taskQueue,
          input: jsonSchemaOf(input, "input"),
        })),
      }),
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/workflows/:id", // the router wants one name per place: here it is the type
        summary: "Start a workflow",
        description:
          "The last part of the path is the type, as `GET /workflows/types` names it. Its id comes from the input, as in `fulfil-order/ord_42`: the same input finds the same run.",
        params: v.object({ id: Name }),
        body: v.strictObject({ id: v.optional(WorkflowId), input: v.optional(v.unknown()) }),
        answer: { status: 202, description: "Started, or running already", schema: Started },
        problems: [409],
      },
      async ({ params: { id: type }, body, look: { traceparent } }) => {
        const known = workflows().types.find(({ name }) => name === type);
        if (known === undefined) throw notFound("workflow");
        const input: unknown = check(known.input, body.input, "/input");
        const asked = { type, input, ...(body.id === undefined ? {} : { id: body.id }) };
        const { workflowId, runId } = await workflows().start(asked, traceparent);
        return { workflowId, runId, links: { temporal: links.workflow(workflowId, runId) } };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/workflows",
        summary: "List workflow runs",
        query: v.strictObject({
          type: v.optional(Name),
          status: v.optional(Status),
          ...PageQuery,
          cursor: v.optional(v.pipe(v.string(), v.maxLength(2_000))),
        }),
        answer: { status: 200, description: "A page, newest first", schema: pageOf(Summary) },
      },
      async ({ query }) => {
        const { items, next } = await workflows().list(query);
        return { items: [...items], next };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/workflows/:id",
        summary: "Show a workflow",
        params: ById,
        answer: { status: 200, description: "Its newest run", schema: Description },
      },
      async ({ params: { id } }) => {
        const found = await workflows().describe(id);
        return {
          ...found,
          pendingActivities: [...found.pendingActivities],
          memo: { ...found.memo },
          links: { temporal: links.workflow(id, found.runId) },
        };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/workflows/:id/steps",
        summary: "Show what a workflow did",
        description:
          "Its newest run, from its history: each activity with its result, each wait, signal and update, the oldest first. The last 500.",
        params: ById,
        answer: { status: 200, description: "Its steps", schema: Steps },
      },
      async ({ params: { id } }) => {
        const { steps, ...found } = await workflows().steps(id);
        return { ...found, steps: [...steps] };
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/workflows/:id/signals/:name",
        summary: "Signal a workflow",
        params: ByIdAndName,
        body: OneInput,
        answer: { status: 202, description: "Taken", schema: v.object({ workflowId: v.string() }) },
      },
      async ({ params: { id, name }, body, look: { traceparent } }) => {
        await workflows().signal(id, name, body?.input, traceparent);
        return { workflowId: id };
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/workflows/:id/updates/:name",
        summary: "Update a workflow, and wait for its answer",
        params: ByIdAndName,
        body: OneInput,
        answer: { status: 200, description: "What the workflow answers", schema: v.object({ result: v.unknown() }) },
        problems: [409],
      },
      async ({ params: { id, name }, body, key: updateId, look: { traceparent } }) => ({
        result: await workflows().update(id, name, body?.input, { updateId, traceparent }),
      }),
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/workflows/:id/queries/:name",
        summary: "Ask a workflow",
        params: ByIdAndName,
        answer: { status: 200, description: "What the workflow answers", schema: v.object({ result: v.unknown() }) },
        problems: [409],
      },
      async ({ params: { id, name } }) => ({ result: await workflows().query(id, name) }),
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/workflows/:id/cancel",
        summary: "Ask a workflow to cancel",
        params: ById,
        answer: {
          status: 202,
          description: "Asked; it ends when it has cleaned up",
          schema: v.object({ workflowId: v.string() }),
        },
      },
      async ({ params: { id } }) => {
        await workflows().cancel(id);
        return { workflowId: id };
      },
    ),
  ]);
}
