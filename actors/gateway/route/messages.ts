import * as v from "valibot";

/** Names of sources and routes: they become parts of paths, addresses and event types. */
export const Name = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, "must be lower case, digits and hyphens, at most 63"),
);

/** A JSON pointer (RFC 6901). */
export const Pointer = v.pipe(
  v.string(),
  v.maxLength(200),
  v.regex(/^(?:\/(?:[^~/]|~[01])*)*$/, "must be a JSON pointer, as in /data/action"),
);

const name = (pattern: RegExp, message: string, max = 200) =>
  v.pipe(v.string(), v.maxLength(max), v.regex(pattern, message));

/** Words of letters, digits, `_` and `-` between dots; none that a broker keeps for itself. */
const SUBJECT = /^(?!(?:troupe|topic)(?:\.|$))[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*$/;

/** Where a routed event goes. The names are the route's, never the event's. */
export const Destination = v.variant("sink", [
  v.strictObject({
    sink: v.literal("kafka"),
    topic: name(
      /^[A-Za-z0-9][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)*$/,
      "must be words of letters, digits and - between dots",
    ),
  }),
  v.strictObject({
    sink: v.literal("rabbitmq"),
    exchange: name(/^(?!amq\.)[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be letters, digits, dots, _ and -, not amq."),
    routingKey: v.optional(name(/^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/, "must be words between dots")),
  }),
  v.strictObject({
    sink: v.literal("nats"),
    subject: name(SUBJECT, "must be words between dots, not below troupe or topic"),
  }),
  v.strictObject({
    sink: v.literal("redis"),
    stream: name(/^[A-Za-z0-9][A-Za-z0-9:._-]*$/, "must be letters, digits, colons, dots, _ and -"),
  }),
]);
export type Destination = v.InferOutput<typeof Destination>;

/** A registered endpoint. */
export const EndpointId = v.pipe(v.string(), v.regex(/^ep_[0-9a-f-]{36}$/, "must be the id of an endpoint"));
const ToEndpoint = v.strictObject({ endpoint: EndpointId });

/** A type, or a pattern: of the words between its dots, `*` stands for one, at the end for one or more. */
export const TypePattern = v.pipe(
  v.string(),
  v.maxLength(200),
  // oxlint-disable-next-line no-control-regex -- these are what is kept out
  v.regex(/^[^\u0000-\u001f\u007f-\u009f]+$/, "must be a type, or words and * between dots, as in github.*"),
  v.check(
    (pattern) => pattern.split(".").every((word) => word === "*" || !word.includes("*")),
    "must have * as a word of its own, as in github.*",
  ),
);

/** A number that `JSON.parse` would change, as its text. */
export const NumberText = v.strictObject({
  number: v.pipe(v.string(), v.maxLength(100), v.regex(/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/)),
});
export const Scalar = v.union([v.pipe(v.string(), v.maxLength(500)), v.number(), v.boolean(), v.null()]);
export type Scalar = v.InferOutput<typeof Scalar>;
const StoredValue = v.union([...Scalar.options, NumberText]);

/** A value that a route asks for. */
export type Where = v.InferOutput<typeof StoredValue>;

export const RouteMatch = v.strictObject({
  type: TypePattern,
  /** The name of a source, or an event's `source` as it is. */
  source: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(500))),
  /** Values at places of the event, as in `{"/data/action": "opened"}`. All must be there. */
  where: v.optional(v.pipe(v.record(Pointer, StoredValue), v.maxEntries(20))),
});

/** A route as it is put. */
export const PutRoute = v.strictObject({
  match: RouteMatch,
  to: v.pipe(v.array(v.union([ToEndpoint, Destination])), v.minLength(1), v.maxLength(20)),
  enabled: v.optional(v.boolean(), true),
});
export type RouteConfig = v.InferOutput<typeof PutRoute>;

/** A route as it is in force. */
export interface NamedRoute extends RouteConfig {
  readonly name: string;
}

/** `*` stands for one word, at the end for one or more. */
export function typeMatches(type: string, pattern: string): boolean {
  const words = type.split(".");
  const wanted = pattern.split(".");
  const open = wanted.at(-1) === "*";
  if (open ? words.length < wanted.length : words.length !== wanted.length) return false;
  return wanted.every((word, i) => word === "*" || word === words[i]);
}
