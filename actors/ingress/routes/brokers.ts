import * as v from "valibot";
import { BROKERS } from "#infra/base/brokers.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { Problem } from "#infra/http/problem.ts";
import type { BrokerTail, TailedMessage } from "#infra/tail/tail.ts";
import type { OutboxPosition } from "#runtime";
import type { IngressDeps } from "../deps.ts";

const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Place = v.object({
  name: v.string(),
  kind: v.picklist(["stream", "topic", "queue"]),
  messages: v.pipe(Count, v.description("That it keeps")),
  partitions: v.nullable(Count),
});
const Group = v.object({
  name: v.pipe(v.string(), v.description("The consumer, or group of consumers")),
  place: v.string(),
  lag: v.pipe(Count, v.description("Messages to come")),
  inFlight: v.pipe(
    v.nullable(Count),
    v.description("Given to it and not acknowledged; `null`: the broker does not say"),
  ),
});
const Broker = v.object({
  name: v.picklist(BROKERS),
  status: v.pipe(v.picklist(["up", "down", "absent"]), v.description("`absent`: this process is told of none")),
  places: v.array(Place),
  groups: v.array(Group),
});
const Outbox = v.object({
  sink: v.string(),
  pending: v.pipe(Count, v.description("Records of the asked process's partitions that wait for it")),
  failing: v.pipe(v.nullable(v.string()), v.description("Why it takes none of them now")),
  failingSince: v.nullable(v.string()),
});
const Cursors = v.object({
  sink: v.string(),
  items: v.array(
    v.object({
      store: v.string(),
      partition: Count,
      cursor: v.pipe(Count, v.description("Up to here every record was taken, is a dead letter, or is not for it")),
      last: v.pipe(Count, v.description("The last record that was committed")),
      behind: Count,
    }),
  ),
  next: v.null(),
});
const View = v.object({ items: v.array(Broker), outbox: v.array(Outbox), next: v.null() });

const Message = v.object({
  place: v.string(),
  position: v.string(),
  key: v.nullable(v.string()),
  type: v.pipe(v.nullable(v.string()), v.description("Of the event, where it is a CloudEvent")),
  id: v.nullable(v.string()),
  at: v.nullable(v.string()),
  traceId: v.nullable(v.string()),
  headers: v.record(v.string(), v.string()),
  content: v.pipe(v.unknown(), v.description("Its JSON; its text where it is none")),
  sizeBytes: Count,
});
const Page = v.object({
  items: v.pipe(v.array(Message), v.description("The oldest first")),
  after: v.pipe(v.string(), v.description("For the next look")),
  skipped: v.pipe(v.nullable(Count), v.description("What came since the last look and is not shown; `null`: unknown")),
});
const Query = v.strictObject({
  after: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,16000}$/))),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(200)),
    "50",
  ),
});

const about = { tag: "Brokers", noun: "broker", scope: "admin", method: "GET" } as const;
/** Several people who look share one look. */
const SHARED_MS = 1_000;

/** What lies at the brokers, who reads it, and how far behind. */
export function brokerRoutes({ troupe }: Pick<IngressDeps, "troupe">, tails: readonly BrokerTail[]) {
  const views = new Map(tails.map((tail) => [tail.broker, shared(() => tail.view())]));
  return endpoints("brokers", [
    endpoint(
      {
        ...about,
        path: "/brokers",
        summary: "Show the brokers: their streams, topics and queues, and the consumers with their lag",
        description:
          "Of what belongs to this system. An answer is at most a second old. `outbox` is what waits here to be published.",
        answer: { status: 200, description: "All four", schema: View },
      },
      async () => {
        const positions = troupe().outbox();
        return {
          items: await Promise.all(BROKERS.map((name) => viewOf(name, views.get(name)))),
          outbox: troupe()
            .status()
            .sinks.map(({ name: sink, pending, failing }) => ({
              ...{ sink, pending, failing: failing ?? null },
              failingSince: since(positions, sink),
            })),
          next: null,
        };
      },
    ),
    endpoint(
      {
        ...about,
        path: "/outbox/:sink",
        noun: "sink",
        summary: "Show how far a sink has got in each partition",
        description:
          "Of the partitions that the asked process holds, as it knows them; the cursors in the stores follow within seconds.",
        params: v.object({ sink: v.pipe(v.string(), v.maxLength(100)) }),
        answer: { status: 200, description: "The farthest behind first", schema: Cursors },
        problems: [404],
      },
      ({ params: { sink } }) => {
        const positions = troupe()
          .outbox()
          .filter((one) => one.sink === sink);
        if (positions.length === 0) throw notFound("sink");
        const items = positions
          .flatMap(({ store, partitions }) =>
            partitions.map((one) => ({ store, ...one, behind: Math.max(0, one.last - one.cursor) })),
          )
          .toSorted((a, b) => b.behind - a.behind);
        return { sink, items, next: null };
      },
    ),
    endpoint(
      {
        ...about,
        path: "/brokers/:name/messages",
        summary: "Show the newest messages at a broker",
        description:
          "With `after` of the look before only what came since: ask again and again, and follow. However much passes, a look shows `limit` messages and counts the others.",
        params: v.object({ name: v.picklist(BROKERS) }),
        query: Query,
        answer: { status: 200, description: "The newest messages", schema: Page },
        problems: [404],
      },
      async ({ params: { name }, query }) => {
        const tail = tails.find(({ broker }) => broker === name);
        if (tail === undefined) throw notFound("broker");
        try {
          const { items, after, skipped } = await tail.read(query);
          return { items: items.map(messageOf), after, skipped };
        } catch (error) {
          if (!(error instanceof TypeError)) throw away(name, error);
          throw new Problem(422, "invalid_input", "The content does not fit: see errors", {
            issues: [{ path: "query/after", message: "must be the after of a look" }],
          });
        }
      },
    ),
  ]);
}

/** One run of `look` for all who ask while it is young. */
function shared<T>(look: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now - last.at > SHARED_MS) last = { at: now, answer: look() };
    return last.answer;
  };
}

type ViewAnswer = v.InferInput<typeof Broker>;

/** Since when a sink takes nothing, at one store or another. */
function since(positions: readonly OutboxPosition[], sink: string): string | null {
  const times = positions.flatMap((one) => (one.sink === sink ? (one.failingSince ?? []) : []));
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

async function viewOf(
  name: (typeof BROKERS)[number],
  look: (() => ReturnType<BrokerTail["view"]>) | undefined,
): Promise<ViewAnswer> {
  if (look === undefined) return { name, status: "absent", places: [], groups: [] };
  try {
    const { places, groups } = await look();
    return {
      ...{ name, status: "up" },
      places: places.map(({ partitions = null, ...place }) => ({ ...place, partitions })),
      groups: groups.map((group) => ({ ...group })),
    };
  } catch {
    return { name, status: "down", places: [], groups: [] }; // `/ready` says what to do
  }
}

function away(name: string, cause: unknown): Problem {
  return new Problem(503, "broker.unavailable", `${name} does not answer: GET /ready says what to do`, {
    retryAfter: 2,
    cause,
  });
}

const Event = v.object({
  type: v.optional(v.string()),
  id: v.optional(v.string()),
  subject: v.optional(v.string()),
  time: v.optional(v.string()),
  traceparent: v.optional(v.string()),
});

function messageOf({ body, headers, key, at, ...message }: TailedMessage): v.InferInput<typeof Message> {
  const content = parsed(body);
  const read = v.safeParse(Event, content);
  const event = read.success ? read.output : {};
  const traceparent = event.traceparent ?? headers["traceparent"];
  return {
    ...{ ...message, headers: { ...headers }, content },
    key: key ?? event.subject ?? null,
    type: event.type ?? headers["ce_type"] ?? headers["type"] ?? null,
    id: event.id ?? headers["ce_id"] ?? headers["id"] ?? null,
    at: at ?? event.time ?? null,
    traceId: /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? "")?.[1] ?? null,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
