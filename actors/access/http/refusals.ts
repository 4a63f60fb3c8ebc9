import type { Refusals } from "#infra/http/refusals.ts";

/** What the refusals of the keyring mean over HTTP. */
export const ACCESS_REFUSALS = {
  key: {
    key_exists: {
      status: 409,
      detail:
        "This Idempotency-Key has made a key already, which is not shown again: rotate that one, or use a new key",
    },
    too_many_keys: { status: 409, detail: "There are as many keys as there may be: revoke some" },
    already_expired: { status: 422, detail: "expiresAt must be in the future" },
  },
} as const satisfies Readonly<Record<string, Refusals>>;
