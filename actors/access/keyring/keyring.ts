import * as v from "valibot";
import { actor } from "#runtime";
import {
  AddKey,
  EnsureAdmin,
  KEYS_TOPIC,
  KeyTable,
  KeyView,
  ReadKeys,
  RevokeKey,
  RotateKey,
  StoredKey,
} from "./messages.ts";

/** Keys there may be at once: the whole ring is one state, and every ingress holds a copy. */
export const MAX_KEYS = 1_000;
/** Secrets of one key that may be good at once: the newest, and the one before it. */
const MAX_SECRETS = 2;

const State = v.object({ changes: v.number(), keys: v.array(StoredKey) });
type State = v.InferOutput<typeof State>;

/**
 * `keyring/main`: the API keys, oldest first. It never sees a key, only the SHA-256 of one: what it stores is of no use to
 * a reader. Every change is told to the topic `keys`, so that whoever holds a copy reads anew.
 *
 * Expired keys stay, so that they can be seen, until they are revoked.
 */
export const Keyring = actor("keyring", {
  key: v.literal("main"),
  state: State,
  initial: (): State => ({ changes: 0, keys: [] }),
  messages: ({ command, query }) => ({
    /** Refuses `key_exists` for an id that is taken, `too_many_keys`, and `already_expired`. */
    add: command({ in: AddKey, out: KeyView }, (c, { id, name, scopes, expiresAt, secret }) => {
      c.require(!c.state.keys.some((key) => key.id === id), "key_exists");
      c.require(c.state.keys.length < MAX_KEYS, "too_many_keys", { limit: MAX_KEYS });
      c.require(expiresAt === null || expiresAt > c.now, "already_expired");
      const key: StoredKey = { id, name, scopes, createdAt: c.now, expiresAt, secrets: [{ ...secret, until: null }] };
      c.state.keys.push(key);
      changed(c);
      return viewOf(key, c.now);
    }),

    /** Gives a key a new secret. Refuses `unknown_key`. */
    rotate: command({ in: RotateKey, out: KeyView }, (c, { id, secret, overlapMs }) => {
      const key = c.state.keys.find((entry) => entry.id === id);
      if (key === undefined) return c.refuse("unknown_key");
      const before = key.secrets
        .filter(({ until }) => until === null && overlapMs > 0)
        .map((old) => ({ ...old, until: c.now + overlapMs }));
      key.secrets = [{ ...secret, until: null }, ...before].slice(0, MAX_SECRETS);
      changed(c);
      return viewOf(key, c.now);
    }),

    /** Ends a key, now and everywhere. Refuses `unknown_key`. */
    revoke: command({ in: RevokeKey }, (c, { id }) => {
      const at = c.state.keys.findIndex((key) => key.id === id);
      c.require(at >= 0, "unknown_key");
      c.state.keys.splice(at, 1);
      changed(c);
    }),

    /** Answers whether the key was taken: not where an admin key that is good exists. Of several who ask, one is told yes. */
    ensureAdmin: command({ in: EnsureAdmin, out: v.boolean() }, (c, { id, secret }) => {
      const alive = c.state.keys.some(
        ({ scopes, expiresAt }) => scopes.includes("admin") && (expiresAt === null || expiresAt > c.now),
      );
      if (alive) return false;
      c.state.keys.push({
        id,
        name: "first admin key",
        scopes: ["admin"],
        createdAt: c.now,
        expiresAt: null,
        secrets: [{ ...secret, until: null }],
      });
      changed(c);
      return true;
    }),

    list: query({ out: v.array(KeyView) }, (c) => c.state.keys.map((key) => viewOf(key, c.now))),

    /** For those who check keys; the hashes go nowhere else. */
    table: query({ in: ReadKeys, out: KeyTable }, (c, { since }) => ({
      changes: c.state.changes,
      keys: since === c.state.changes ? null : c.state.keys.map((key) => ({ ...key })),
    })),
  }),
});

interface Turn {
  readonly state: State;
  broadcast(topic: string, type: string, data: unknown): void;
}

function changed(c: Turn): void {
  c.state.changes++;
  c.broadcast(KEYS_TOPIC, "keys.changed", { changes: c.state.changes });
}

function viewOf({ secrets, ...key }: StoredKey, now: number): KeyView {
  const good = secrets.filter(({ until }) => until === null || until > now);
  return { ...key, secrets: good.map(({ prefix, until }) => ({ prefix, until })) };
}
