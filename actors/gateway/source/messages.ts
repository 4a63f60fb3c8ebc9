import * as v from "valibot";
import { EventType } from "#actors/gateway/inbox/messages.ts";
import { Pointer } from "#actors/gateway/route/messages.ts";

// oxlint-disable-next-line no-control-regex -- these are what is kept out
const ONE_LINE = /^[^\u0000-\u001f\u007f-\u009f]*$/;
const Header = v.pipe(
  v.string(),
  v.toLowerCase(),
  v.regex(/^[a-z0-9-]{1,64}$/, "must be a header's name: letters, digits and hyphens"),
);
const Secret = v.pipe(v.string(), v.minLength(8), v.maxLength(500));

/** A place of a webhook that holds a text: a header, or a JSON pointer into the body. */
export const Place = v.union([v.strictObject({ header: Header }), v.strictObject({ pointer: Pointer })]);
export type Place = v.InferOutput<typeof Place>;

/** A source of webhooks, as it is put. What is left out has the scheme's usual value. */
export const PutSource = v.pipe(
  v.strictObject({
    scheme: v.picklist(["standard", "github", "stripe", "hmac"]),
    /** The newest first. All are tried, so that a rotation needs no moment at which both sides change. */
    secrets: v.pipe(v.array(Secret), v.minLength(1), v.maxLength(5)),
    /** For `hmac`: where the signature is, and how it is written. */
    signature: v.optional(
      v.strictObject({
        header: Header,
        algorithm: v.optional(v.picklist(["sha256", "sha512"]), "sha256"),
        encoding: v.optional(v.picklist(["hex", "base64"]), "hex"),
        prefix: v.optional(v.pipe(v.string(), v.maxLength(50)), ""),
      }),
    ),
    /** Where the event's type is. */
    type: v.optional(Place),
    /** Put before the type. Default: the source's name and a dot. */
    typePrefix: v.optional(v.pipe(v.string(), v.maxLength(64), v.regex(ONE_LINE, "must be text in one line"))),
    /** Types by what the sender calls them, as in `{"Push Hook": "repo.pushed"}`. No prefix stands before these. */
    types: v.optional(
      v.pipe(v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(200)), EventType), v.maxEntries(100)),
    ),
    /** Where the id of the delivery is: the same id is taken once. */
    id: v.optional(Place),
    /** Where what it is about is: events of one subject stay in order. */
    subject: v.optional(Place),
  }),
  v.forward(
    v.partialCheck(
      [["scheme"], ["signature"]],
      ({ scheme, signature }) => (scheme === "hmac") === (signature !== undefined),
      "is for the scheme hmac, which needs it",
    ),
    ["signature"],
  ),
  v.forward(
    v.partialCheck(
      [["scheme"], ["type"]],
      ({ scheme, type }) => scheme !== "hmac" || type !== undefined,
      "is needed: this scheme has no usual place for it",
    ),
    ["type"],
  ),
);
export type SourceConfig = v.InferOutput<typeof PutSource>;

/** A source as it is stored: its secrets sealed, where there is a key to seal with. */
export const StoredSource = v.strictObject({ ...PutSource.entries, secrets: v.array(v.string()) });

/** A source as it is shown: never with its secrets. */
export const SourceView = v.object({
  name: v.string(),
  scheme: v.string(),
  secretCount: v.number(),
  signature: v.optional(v.unknown()),
  type: v.optional(Place),
  typePrefix: v.string(),
  types: v.optional(v.record(v.string(), v.string())),
  id: v.optional(Place),
  subject: v.optional(Place),
  url: v.string(),
});

/** What may be seen of a source. */
export function sourceView(name: string, config: SourceConfig): v.InferOutput<typeof SourceView> {
  const { secrets, typePrefix = `${name}.`, ...rest } = config;
  return { name, ...rest, typePrefix, secretCount: secrets.length, url: `/events/${name}` };
}
