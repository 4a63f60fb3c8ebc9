import * as v from "valibot";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { ClusterReport } from "#runtime";
import type { IngressDeps } from "../deps.ts";

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));

const ActorsAnswer = v.object({
  types: v.pipe(
    v.array(
      v.object({
        type: v.string(),
        store: v.string(),
        inMemory: v.pipe(Count, v.description("On all nodes that answered")),
        mailboxDepth: v.pipe(Count, v.description("Messages that wait for their turn")),
      }),
    ),
    v.description("In order of their name"),
  ),
  nodes: v.array(
    v.object({
      id: v.string(),
      address: v.pipe(v.nullable(v.string()), v.description("Where it serves HTTP")),
      owns: v.pipe(v.boolean(), v.description("Whether it takes partitions: not when it only routes, or is leaving")),
      since: v.pipe(v.string(), v.isoTimestamp()),
      leaseAgeMs: v.pipe(Count, v.description("Since it last renewed its lease")),
      answered: v.pipe(v.boolean(), v.description("Whether its actors are counted: it answered in time")),
      inMemory: v.nullable(Count),
      partitions: v.pipe(Count, v.description("Of all stores")),
    }),
  ),
  subscriptions: v.pipe(
    v.array(
      v.object({
        actor: v.string(),
        source: v.pipe(v.string(), v.description("The broker that it takes its events from")),
        node: v.pipe(v.nullable(v.string()), v.description("Who consumes; `null` while nobody said so")),
        inFlight: v.pipe(Count, v.description("Events handed over and not yet acknowledged")),
        lag: v.pipe(v.nullable(Count), v.description("Events at the broker that were not acknowledged, seconds ago")),
        failing: v.pipe(v.nullable(v.string()), v.description("What hinders it right now")),
      }),
    ),
    v.description("In order of the actor type"),
  ),
  stores: v.array(
    v.object({
      store: v.string(),
      types: v.array(v.string()),
      partitions: v.array(v.object({ partition: Count, node: v.nullable(v.string()), epoch: Count })),
    }),
  ),
});

/** The cluster as `GET /actors` shows it. */
export type ActorsAnswer = v.InferOutput<typeof ActorsAnswer>;

/** The whole cluster, from any of its nodes. */
export function actorsRoutes({ troupe }: Pick<IngressDeps, "troupe">) {
  return endpoints("actors", [
    endpoint(
      {
        tag: "Actors",
        noun: "actor",
        scope: "admin",
        method: "GET",
        path: "/actors",
        summary: "Show the actor types, the nodes and who owns which partition",
        description:
          "From any node for the whole cluster. A node that does not answer within half a second is listed with `answered: false`, and its actors are not counted.",
        answer: { status: 200, description: "The cluster", schema: ActorsAnswer },
      },
      async () => answerOf(await troupe().cluster()),
    ),
  ]);
}

function answerOf({ nodes, stores }: ClusterReport): ActorsAnswer {
  const counts = nodes.flatMap((node) => node.actors ?? []);
  const sumOf = (type: string, what: "inMemory" | "waiting"): number =>
    counts.reduce((sum, count) => sum + (count.type === type ? count[what] : 0), 0);
  const owners = stores.flatMap(({ partitions }) => partitions.map(({ node }) => node));
  return {
    types: stores
      .flatMap(({ store, types }) =>
        types.map((type) => ({
          type,
          store,
          inMemory: sumOf(type, "inMemory"),
          mailboxDepth: sumOf(type, "waiting"),
        })),
      )
      .toSorted((a, b) => a.type.localeCompare(b.type)),
    nodes: nodes.map(({ id, address, owns, since, leaseAgeMs, actors }) => ({
      id,
      address: address ?? null,
      owns,
      since: new Date(since).toISOString(),
      leaseAgeMs,
      answered: actors !== undefined,
      inMemory: actors?.reduce((sum, { inMemory }) => sum + inMemory, 0) ?? null,
      partitions: owners.filter((owner) => owner === id).length,
    })),
    subscriptions: subscriptionsOf(nodes),
    stores: stores.map(({ store, types, partitions }) => ({
      store,
      types: [...types],
      partitions: partitions.map(({ partition, node, epoch }) => ({ partition, node: node ?? null, epoch })),
    })),
  };
}

/** Each subscription once, as the node sees it that consumes for it. */
function subscriptionsOf(nodes: ClusterReport["nodes"]): ActorsAnswer["subscriptions"] {
  const found = new Map<string, ActorsAnswer["subscriptions"][number]>();
  for (const { id, subscriptions = [] } of nodes) {
    for (const { actor, source, here, inFlight, lag, failing } of subscriptions) {
      const place = `${actor} ${source}`;
      if (!here && found.has(place)) continue;
      const view = { inFlight, lag: lag ?? null, failing: failing ?? null };
      found.set(place, { actor, source, node: here ? id : null, ...view });
    }
  }
  return [...found.values()].toSorted((a, b) => a.actor.localeCompare(b.actor) || a.source.localeCompare(b.source));
}
