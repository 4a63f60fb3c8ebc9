import * as v from "valibot";
import { SCOPES } from "#infra/http/access.ts";

export const Scope = v.picklist(SCOPES, `must be one of ${SCOPES.join(", ")}`);
export type Scope = v.InferOutput<typeof Scope>;

/** At least one scope, each once. */
export const Scopes = v.pipe(
  v.array(Scope),
  v.minLength(1, "must name at least one scope"),
  v.maxLength(SCOPES.length),
  v.check((scopes) => new Set(scopes).size === scopes.length, "must name each scope once"),
);

export const KeyId = v.pipe(v.string(), v.regex(/^key_[0-9a-f-]{36}$/, "must look like key_…"));
export const KeyName = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(100));

/** A secret as it may be stored: its SHA-256 in hex, and the first characters, by which people tell keys apart. */
const Fingerprint = v.strictObject({
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  prefix: v.pipe(v.string(), v.regex(/^tk_[A-Za-z0-9_-]{8}$/)),
});
export type Fingerprint = v.InferOutput<typeof Fingerprint>;

export const AddKey = v.strictObject({
  id: KeyId,
  name: KeyName,
  scopes: Scopes,
  /** Milliseconds since the epoch; `null`: never. */
  expiresAt: v.nullable(v.number()),
  secret: Fingerprint,
});

export const RotateKey = v.strictObject({
  id: KeyId,
  secret: Fingerprint,
  /** How long the secret before this one stays good. Any older one ends now. */
  overlapMs: v.pipe(v.number(), v.minValue(0)),
});

export const RevokeKey = v.strictObject({ id: KeyId });

/** Makes the first admin key, where there is none. */
export const EnsureAdmin = v.strictObject({ id: KeyId, secret: Fingerprint });

/** A key without its secrets. Times in milliseconds since the epoch. */
export const KeyView = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(Scope),
  createdAt: v.number(),
  expiresAt: v.nullable(v.number()),
  /** The beginning of each secret that is good now, newest first. `until`: when it ends, of one that was rotated. */
  secrets: v.array(v.object({ prefix: v.string(), until: v.nullable(v.number()) })),
});
export type KeyView = v.InferOutput<typeof KeyView>;

/** A key as those who check it need it. */
export const StoredKey = v.object({
  id: v.string(),
  name: v.string(),
  scopes: v.array(Scope),
  createdAt: v.number(),
  expiresAt: v.nullable(v.number()),
  secrets: v.array(v.object({ hash: v.string(), prefix: v.string(), until: v.nullable(v.number()) })),
});
export type StoredKey = v.InferOutput<typeof StoredKey>;

/** Every key, and the number of changes so far. `keys` is `null` where nothing changed since. */
export const KeyTable = v.object({ changes: v.number(), keys: v.nullable(v.array(StoredKey)) });
export type KeyTable = v.InferOutput<typeof KeyTable>;
export const ReadKeys = v.strictObject({ since: v.optional(v.number()) });

/** The topic that tells of every change of the keys, as `keys.changed`: never of a secret. */
export const KEYS_TOPIC = "keys";
