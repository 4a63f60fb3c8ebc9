import * as v from "valibot";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { KeyId, KeyName, type KeyView, Scopes } from "#actors/access/keyring/messages.ts";
import { fingerprintOf, newSecret } from "#actors/access/keyring/secret.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { durationUpTo, Time } from "#infra/http/fields.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { pageOf, pageOfAll, PageQuery } from "#infra/http/listing.ts";
import { parseDateTime } from "#infra/time/rfc3339.ts";
import { durationMs, newId, RefusedError } from "#runtime";
import type { AccessDeps } from "./deps.ts";
import { ACCESS_REFUSALS } from "./refusals.ts";

const DEFAULT_OVERLAP = "1h";

const Key = v.object({
  id: v.string(),
  name: v.string(),
  scopes: Scopes,
  createdAt: v.string(),
  expiresAt: v.nullable(v.string()),
  secrets: v.array(v.object({ prefix: v.string(), until: v.nullable(v.string()) })),
});
const NewKey = v.object({ ...Key.entries, key: v.string() });
const ById = v.object({ id: KeyId });

const CreateKey = v.strictObject({
  name: KeyName,
  scopes: Scopes,
  expiresAt: v.optional(Time),
});
const Rotation = v.optional(v.strictObject({ overlap: v.optional(durationUpTo("30d")) }));

const about = { tag: "Keys", noun: "key", refusals: ACCESS_REFUSALS.key, scope: "admin" } as const;

/** API keys. A key itself is shown in the answer that makes it, and nowhere else: what is stored is its SHA-256. */
export function keyRoutes({ troupe }: AccessDeps) {
  const keyring = () => troupe().ref(Keyring, "main");
  return endpoints("keys", [
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/keys",
        summary: "Make an API key",
        description:
          "`key` is shown this once. A repeat under the same Idempotency-Key makes no second one, and cannot show the first again: it is refused.",
        body: CreateKey,
        answer: { status: 201, description: "Made; good at once", schema: NewKey },
        problems: [409],
      },
      async ({ body: { name, scopes, expiresAt }, key, look }) => {
        const id = key === undefined ? newId("key") : derivedId("key", "POST /keys", key);
        const secret = newSecret();
        const ends = expiresAt === undefined ? null : (parseDateTime(expiresAt) ?? null);
        const made = await keyring().add({ id, name, scopes, expiresAt: ends, secret: fingerprintOf(secret) }, look);
        return new Reply(201, { ...shown(made), key: secret }, { location: `/keys/${id}`, ...NEVER_STORED });
      },
    ),

    endpoint(
      {
        ...about,
        method: "GET",
        path: "/keys",
        summary: "List API keys",
        description: "Oldest first, without the keys themselves. One that has expired is listed until it is revoked.",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page of them", schema: pageOf(Key) },
      },
      async ({ query, look }) => pageOfAll((await keyring().list(undefined, look)).map(shown), query, ({ id }) => id),
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/keys/:id/rotate",
        summary: "Give an API key a new secret",
        description: `The one before it stays good for \`overlap\` (default ${DEFAULT_OVERLAP}; "0s" ends it now), any older one ends.`,
        params: ById,
        body: Rotation,
        answer: { status: 200, description: "The new secret, shown this once", schema: NewKey },
      },
      async ({ params: { id }, body, look }) => {
        const secret = newSecret();
        const overlapMs = durationMs(body?.overlap ?? DEFAULT_OVERLAP);
        const rotated = await known(keyring().rotate({ id, secret: fingerprintOf(secret), overlapMs }, look));
        return new Reply(200, { ...shown(rotated), key: secret }, NEVER_STORED);
      },
    ),

    endpoint(
      {
        ...about,
        method: "DELETE",
        path: "/keys/:id",
        summary: "Revoke an API key",
        description: "At once here, within a second on every other node. Sockets that it opened are closed with 1008.",
        params: ById,
        answer: {
          status: 200,
          description: "Gone",
          schema: v.object({ id: v.string(), status: v.literal("revoked") }),
        },
      },
      async ({ params: { id }, look }) => {
        await known(keyring().revoke({ id }, look));
        return { id, status: "revoked" as const };
      },
    ),
  ]);
}

const NEVER_STORED = { "cache-control": "no-store" };

function shown({ createdAt, expiresAt, secrets, ...rest }: KeyView) {
  return {
    ...rest,
    createdAt: timeOf(createdAt),
    expiresAt: expiresAt === null ? null : timeOf(expiresAt),
    secrets: secrets.map(({ prefix, until }) => ({ prefix, until: until === null ? null : timeOf(until) })),
  };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

async function known<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RefusedError && error.reason === "unknown_key") throw notFound("key");
    throw error;
  }
}
