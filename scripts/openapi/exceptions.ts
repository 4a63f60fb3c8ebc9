/**
 * Operations that refuse some of what fits their JSON Schema, and why no schema could say so. The tester takes a 422 (or 400) there for
 * what it is; every other operation has to accept whatever its schema allows.
 */
export const BEYOND_SCHEMA: readonly { readonly operation: RegExp; readonly because: string }[] = [
  { operation: / \/actors\//, because: "keys and inputs are checked by the schemas of the actor that the path names" },
  { operation: /^POST \/config/, because: "a YAML file, checked with line and column" },
  { operation: /^PATCH \/services/, because: "the policy of the process decides what is allowed" },
  { operation: /^PUT \/secrets/, because: "the policy of the process decides what is allowed" },
  { operation: /^(POST|PATCH) \/endpoints/, because: "a URL has to lead to a public address" },
  {
    operation: /^(POST|GET) \/events/,
    because: "CloudEvents have three forms, told by headers; data fits the schema of its type",
  },
  { operation: /^PUT \/routes/, because: "an endpoint has to be there" },
  { operation: /^PUT \/schemas/, because: "a schema is itself checked" },
  { operation: /^PUT \/sources/, because: "members need each other" },
  { operation: /^POST \/keys/, because: "an end has to be in the future" },
  { operation: / \/dead-letters/, because: "a cursor is the end of a page that was given before" },
  {
    operation: / \/workflows/,
    because: "inputs are checked by the workflow that the path names; a cursor is Temporal's",
  },
  { operation: /^POST \/codec/, because: "bytes are opened by a key" },
  { operation: /^GET \/orders$/, because: "a cursor is the end of a page that was given before" },
  { operation: /^POST \/orders/, because: "lines are priced in one currency" },
  {
    operation: /^POST \/rpc\/(order|payment|stock)\//,
    because: "currencies are those of ISO 4217, and sums have to fit their lines",
  },
  { operation: /^GET \/brokers\//, because: "`after` is what a look before has answered" },
  { operation: /^POST \/rpc\/batch/, because: "each call of a batch has an id of its own" },
];

/** Paths that another pattern of the document takes too, with a method of its own: `Allow` names the methods of both. */
export const BEYOND_PATH: readonly { readonly operation: RegExp; readonly because: string }[] = [
  { operation: /^OPTIONS \/actors\/\{type\}\/\{key\}\/journal$/, because: "POST sends a message of that name" },
];

/** What the tester takes for a fault, and is none: a header that nobody knows is passed over (RFC 9110, section 5.1). */
export const NO_FAULT = "in header - object with unexpected properties";

/** Refusals that every write may answer, whatever it holds: the tester sends one Idempotency-Key with many requests. */
export const BEYOND_EVERY_SCHEMA = ['"code":"idempotency.key_reused"'];
