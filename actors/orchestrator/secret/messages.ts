import * as v from "valibot";

export const SecretName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,62}$/, "must be lower case, digits and hyphens"),
);

/** A secret as it is shown: never its value. `version` grows with each value. */
export const SecretView = v.strictObject({
  name: v.string(),
  version: v.number(),
  /** RFC 3339 */
  updatedAt: v.string(),
});
export type SecretView = v.InferOutput<typeof SecretView>;

export const PutSecret = v.strictObject({
  /** What a secret box has made of the value. */
  sealed: v.pipe(v.string(), v.maxLength(200_000)),
});
