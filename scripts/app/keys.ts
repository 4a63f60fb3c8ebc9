import { followKeys } from "#actors/access/guard/follow-keys.ts";
import { KeyDirectory } from "#actors/access/guard/key-directory.ts";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import { fingerprintOf, newSecret } from "#actors/access/keyring/secret.ts";
import { type Log, newId, type Topics, type Troupe } from "#runtime";
import { keepTrying } from "./keep-trying.ts";

/** How long the keyring may take to answer. */
const READ_WITHIN = "2s";

/** The keys of this process. */
export interface Keys {
  readonly directory: KeyDirectory;
  stop(): void;
}

/** What {@link openKeys} is given. */
export interface KeysOptions {
  /** @throws while the actor system is not there yet. */
  readonly troupe: () => Troupe;
  /** Resolves when it is. */
  readonly started: Promise<void>;
  readonly topics: Pick<Topics, "subscribe">;
  /** `TROUPE_ADMIN_KEY`. */
  readonly adminKey: string | undefined;
  /** Told whenever the keys may be others now. */
  readonly changed: () => void;
  readonly log: Log;
  /** Shows the first admin key: not to the log, where it would stay. */
  readonly show: (line: string) => void;
}

/**
 * Follows the keyring. Where there is no admin key at all, neither a given nor a stored one, makes the first and shows it
 * once; of several processes that start together, one does.
 */
export function openKeys({ troupe, started, topics, adminKey, changed, log, show }: KeysOptions): Keys {
  const stopping = new AbortController();
  const { signal } = stopping;
  const directory = new KeyDirectory({
    adminKey,
    read: (since) => troupe().ref(Keyring, "main").table({ since }, { timeout: READ_WITHIN }),
  });
  const heard = (): void => {
    directory.changed();
    changed();
  };
  void followKeys(topics, heard, signal);
  if (adminKey === undefined) {
    void started.then(() => keepTrying("the first admin key", () => ensureAdminKey(troupe(), show), { signal, log }));
  }
  return { directory, stop: () => stopping.abort() };
}

async function ensureAdminKey(troupe: Troupe, show: (line: string) => void): Promise<void> {
  const secret = newSecret();
  const taken = await troupe.ref(Keyring, "main").ensureAdmin({ id: newId("key"), secret: fingerprintOf(secret) });
  if (taken) show(`The first admin key, shown this once: ${secret}`);
}
