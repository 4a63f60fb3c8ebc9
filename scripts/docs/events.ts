import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { stringify } from "yaml";

/** The page that {@link eventsPage} writes. */
export const EVENTS_PAGE = "infra/docs/events.md";
/** The document that {@link asyncApi} writes. */
export const ASYNC_API = "infra/docs/asyncapi.yaml";

interface Schema {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

/** The events of one actor type, as its accepted contract has them. */
interface EmittingActor {
  readonly product: string;
  readonly type: string;
  readonly events: Readonly<Record<string, Schema>>;
}

/** Every actor type that emits, by product and name. Read from `contract.json`: what was accepted is what others may rely on. */
function emittingActors(root: string): EmittingActor[] {
  const files = [...new Glob("actors/**/contract.json").scanSync(root)].sort();
  return files
    .map((file) => {
      const { type, events } = JSON.parse(readFileSync(join(root, file), "utf8")) as Omit<EmittingActor, "product">;
      return { product: file.split("/")[1] ?? "", type, events };
    })
    .filter(({ events }) => Object.keys(events).length > 0);
}

/** The catalogue of events: each with its data, and where it is found at every broker. */
export function eventsPage(root: string): string {
  const sections = emittingActors(root).flatMap(({ product, type, events }) => [
    "",
    `## ${type}`,
    "",
    `Of the ${product}. \`source\` is \`/${type}/<key>\`, \`subject\` the actor's key.`,
    "",
    "| event | data |",
    "|---|---|",
    ...Object.entries(events).map(([event, schema]) => `| \`${event}\` | ${fieldsOf(schema)} |`),
  ]);
  return `${[
    "# Events",
    "",
    "Every event that actors of this system publish, with its data. A name holds its version: what it means never changes, a new meaning gets a new name beside it. This",
    "page and [asyncapi.yaml](asyncapi.yaml) are made from the accepted contracts by `bun scripts/docs/main.ts --write`, and a test compares them.",
    "",
    "Events are CloudEvents 1.0 with the same id everywhere, and leave in the order of their actor:",
    "",
    "| Broker | Place | Key |",
    "|---|---|---|",
    "| NATS JetStream | stream `EVENTS`, subject `evt.<event>`, as in `evt.order.placed.v1` | `Nats-Msg-Id` is the id |",
    "| Kafka | topic `<noun>.events.v1`, as in `order.events.v1` | the actor's key |",
    "| RabbitMQ | exchange `events`, routing key `<event>`; those of which a queue is bound | `message-id` is the id |",
    "| Redis | stream `events:<noun>`; those of orders and deliveries | field `id` |",
    "",
    "The noun is what stands before the first dot of the event. A member with `?` may be missing.",
    ...sections,
  ].join("\n")}\n`;
}

/** The members of an object in one line. */
function fieldsOf({ properties = {}, required = [] }: Schema): string {
  const members = Object.entries(properties).map(
    ([name, schema]) => `\`${name}${required.includes(name) ? "" : "?"}\` ${wordOf(schema)}`,
  );
  return members.length === 0 ? "" : members.join(", ");
}

/** What a member is, in a word or two. */
function wordOf(schema: Schema): string {
  const alternatives = schema.anyOf ?? schema.oneOf;
  if (alternatives !== undefined) return [...new Set(alternatives.map(wordOf))].join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(" or ");
  if (schema.type === "array") return `list of ${schema.items === undefined ? "values" : wordOf(schema.items)}`;
  if (schema.type === "object" && schema.properties !== undefined) return `{${fieldsOf(schema)}}`;
  return typeof schema.type === "string" ? schema.type : "any value";
}

/** The same as an AsyncAPI 3.0 document, by the subjects of NATS. */
export function asyncApi(root: string): string {
  const events = emittingActors(root).flatMap(({ type, events: own }) =>
    Object.entries(own).map(([event, schema]) => ({ type, event, schema })),
  );
  const ref = (...path: string[]) => ({ $ref: `#/${path.join("/")}` });
  const document = {
    asyncapi: "3.0.0",
    info: { title: "Troupe", version: "1", description: "What the actors of the system publish, as CloudEvents 1.0." },
    defaultContentType: "application/cloudevents+json",
    channels: Object.fromEntries(
      events.map(({ event }) => [
        event,
        { address: `evt.${event}`, messages: { [event]: ref("components", "messages", event) } },
      ]),
    ),
    operations: Object.fromEntries(
      events.map(({ event }) => [`publish.${event}`, { action: "send", channel: ref("channels", event) }]),
    ),
    components: {
      messages: Object.fromEntries(
        events.map(({ event, type }) => [
          event,
          { name: event, tags: [{ name: type }], payload: ref("components", "schemas", event) },
        ]),
      ),
      schemas: Object.fromEntries(
        events.map(({ event, type, schema }) => [
          event,
          {
            type: "object",
            required: ["specversion", "id", "source", "type", "data"],
            properties: {
              specversion: { const: "1.0" },
              id: { type: "string" },
              source: { type: "string", pattern: `^/${type}/` },
              type: { const: event },
              subject: { type: "string" },
              time: { type: "string", format: "date-time" },
              data: schema,
            },
          },
        ]),
      ),
    },
  };
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}
