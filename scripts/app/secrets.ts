import { parseSecretKeys, plainBox, type SecretBox, secretBox, secretKeyId } from "#infra/secrets/secret-box.ts";
import type { Log } from "#runtime";
import type { Settings } from "./settings.ts";

/** The box of this process. Says so where secrets will be stored as they are, although keys are asked for: that is no development. */
export function secretsOf(
  { TROUPE_SECRET_KEY, TROUPE_AUTH }: Partial<Pick<Settings, "TROUPE_SECRET_KEY" | "TROUPE_AUTH">>,
  log: Log,
): SecretBox {
  if (TROUPE_SECRET_KEY !== undefined) return secretBox(secretKeysOf({ TROUPE_SECRET_KEY }));
  if (TROUPE_AUTH === "on")
    log("warn", "secrets:plain", {
      means: "secrets of sources and endpoints, and what workflows are about, are stored as they are",
      fix: "set TROUPE_SECRET_KEY to 32 random bytes in base64, the same for every process",
    });
  return plainBox;
}

/** Which key seals, by a name that does not give it away; `undefined`: none. */
export function sealingKeyId(settings: Partial<Pick<Settings, "TROUPE_SECRET_KEY">>): string | undefined {
  const [first] = secretKeysOf(settings);
  return first && secretKeyId(first);
}

/** The keys of `TROUPE_SECRET_KEY`, the one to seal with first; none where there is none. */
export function secretKeysOf({
  TROUPE_SECRET_KEY,
}: Partial<Pick<Settings, "TROUPE_SECRET_KEY">>): readonly Uint8Array<ArrayBuffer>[] {
  return TROUPE_SECRET_KEY === undefined ? [] : parseSecretKeys(TROUPE_SECRET_KEY);
}
