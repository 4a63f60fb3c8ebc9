import * as v from "valibot";
import { Endpoint, viewOf } from "#actors/gateway/endpoint/endpoint.ts";
import {
  Attempt,
  ChangeEndpoint,
  CreateEndpoint,
  EndpointView,
  EndpointWithSecret,
} from "#actors/gateway/endpoint/messages.ts";
import { EndpointId } from "#actors/gateway/route/messages.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { durationUpTo } from "#infra/http/fields.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { PageQuery, pageOf, pageOfAll, readPage } from "#infra/http/listing.ts";
import { Problem } from "#infra/http/problem.ts";
import { urlFault } from "#infra/webhooks/deliver.ts";
import { durationMs, isDuration, newId } from "#runtime";
import type { GatewayDeps } from "./deps.ts";
import { GATEWAY_REFUSALS } from "./refusals.ts";

const about = { tag: "Event gateway", noun: "endpoint", refusals: GATEWAY_REFUSALS.endpoint, scope: "events" } as const;
const ById = v.object({ id: EndpointId });
const Rotate = v.optional(
  v.strictObject({
    /** How long the old secret signs on, as in `24h`. */
    overlap: v.optional(durationUpTo("7d"), "24h"),
  }),
  {},
);

/** The HTTP receivers of events. */
export function endpointRoutes({ troupe, allows, secrets }: GatewayDeps) {
  const opened = async <T extends { readonly id: string; readonly secret: string }>(made: T): Promise<T> => ({
    ...made,
    secret: await secrets.open(made.secret, `endpoint/${made.id}`),
  });
  const checkUrl = (url: string | undefined): void => {
    const fault = url === undefined ? undefined : urlFault(url, allows);
    if (fault === undefined) return;
    throw new Problem(422, "invalid_input", "The content does not fit: see errors", {
      issues: [{ path: "/url", message: fault }],
    });
  };

  return endpoints("endpoints", [
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/endpoints",
        summary: "Register a receiver of events",
        description:
          "`secret` is shown this once. Every webhook is signed with it by Standard Webhooks. Name the id in a route's `to` to send it events.",
        body: CreateEndpoint,
        answer: { status: 201, description: "Registered", schema: EndpointWithSecret },
      },
      async ({ body, key, call }) => {
        checkUrl(body.url);
        const id = key === undefined ? newId("ep") : derivedId("ep", "POST /endpoints", key);
        const made = await troupe().ref(Endpoint, id).create(body, call);
        return new Reply(201, await opened(made), { location: `/endpoints/${id}` });
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/endpoints",
        summary: "List the endpoints",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, oldest first", schema: pageOf(EndpointView) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Endpoint, page),
          query,
          ({ key, state }) => (state.config === null ? undefined : viewOf(key, state, state.config, Date.now())),
        ),
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/endpoints/:id",
        summary: "Show an endpoint",
        params: ById,
        answer: { status: 200, description: "Without its secrets", schema: EndpointView },
      },
      async ({ params: { id }, look }) => found(await troupe().ref(Endpoint, id).get(undefined, look)),
    ),
    endpoint(
      {
        ...about,
        method: "PATCH",
        path: "/endpoints/:id",
        summary: "Change an endpoint",
        description: "`enabled: true` also brings back one that was disabled because it failed for five days.",
        params: ById,
        body: ChangeEndpoint,
        answer: { status: 200, description: "The endpoint as it is now", schema: EndpointView },
      },
      ({ params: { id }, body, call }) => {
        checkUrl(body.url);
        return troupe().ref(Endpoint, id).change(body, call);
      },
    ),
    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/endpoints/:id",
        summary: "Remove an endpoint",
        description: "What is on its way to it becomes dead letters.",
        params: ById,
        answer: { status: 204, description: "Gone" },
      },
      async ({ params: { id }, call }) => {
        await troupe().ref(Endpoint, id).remove(undefined, call);
        return undefined;
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/endpoints/:id/attempts",
        summary: "List the last tries to deliver to an endpoint",
        params: ById,
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page of the last 50, newest first", schema: pageOf(Attempt) },
      },
      async ({ params: { id }, query, look }) =>
        pageOfAll(
          found(await troupe().ref(Endpoint, id).attempts(undefined, look)),
          query,
          ({ at, deliveryId, attempt }) => `${at} ${deliveryId} ${attempt}`,
        ),
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/endpoints/:id/rotate-secret",
        summary: "Give an endpoint a new secret",
        description: "Both secrets sign until the overlap (default 24h) is over. `secret` is shown this once.",
        params: ById,
        body: Rotate,
        answer: { status: 200, description: "The new secret", schema: EndpointWithSecret },
      },
      async ({ params: { id }, body: { overlap }, call }) => {
        if (!isDuration(overlap)) throw new TypeError(`Cannot rotate with an overlap of ${overlap}`);
        const rotated = await troupe()
          .ref(Endpoint, id)
          .rotate({ overlapMs: durationMs(overlap) }, call);
        return await opened(rotated);
      },
    ),
  ]);
}

function found<T>(value: T | null): T {
  if (value === null) throw notFound("endpoint");
  return value;
}
