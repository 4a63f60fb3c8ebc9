import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import type { KeyTable } from "#actors/access/keyring/messages.ts";
import { fingerprintOf, newSecret } from "#actors/access/keyring/secret.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { memoryTopics, newId, silentLog } from "#runtime";
import { KeyDirectory } from "../../access/guard/key-directory.ts";
import { callerOf } from "./callers.ts";
import { type KeyWatch, watchKeys } from "./key-watch.ts";
import type { Session } from "./session.ts";
import { createSockets } from "./sockets.ts";

setDefaultTimeout(30_000);
const SOON_MS = 10_000;
const ADMIN = "an-admin-key-of-the-environment-32";

type Key = NonNullable<KeyTable["keys"]>[number];

/** Keys in a variable under a clock that is turned by hand, and a server of sockets for their holders. */
class Fixture implements AsyncDisposable {
  keys: Key[] = [];
  changes = 0;
  away = false;
  ms = 0;
  readonly directory = new KeyDirectory({
    adminKey: ADMIN,
    monotonic: () => this.ms,
    now: () => this.ms,
    read: async () => {
      if (this.away) throw new Error("away");
      return { changes: this.changes, keys: [...this.keys] };
    },
  });
  readonly #topics = memoryTopics();
  readonly sockets = createSockets({
    topics: () => this.#topics,
    log: silentLog,
    access: {
      origins: () => [],
      authenticate: async ({ headers }) => {
        const principal = await this.directory.find(headers.get("authorization") ?? "");
        if (principal === undefined) throw new Error("not a good key");
        return callerOf(principal);
      },
    },
  });
  readonly #server = Bun.serve<Session>({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => this.sockets.upgrade(request, server),
    websocket: this.sockets.websocket,
  });
  watch: KeyWatch | undefined;

  key(more: Partial<Key> = {}): { readonly id: string; readonly secret: string } {
    const secret = newSecret();
    const id = newId("key");
    const secrets: Key["secrets"] = [{ ...fingerprintOf(secret), until: null }];
    this.keys.push({ id, name: "a", scopes: ["orders"], createdAt: 0, expiresAt: null, secrets, ...more });
    this.changes++;
    this.directory.changed();
    return { id, secret };
  }

  /** Opens a socket; the code it was closed with stands in the record, later. */
  async open(secret: string): Promise<{ code?: number }> {
    const seen: { code?: number } = {};
    const socket = new WebSocket(`ws://127.0.0.1:${this.#server.port}/ws`, {
      headers: { authorization: secret },
    } as never);
    socket.onclose = ({ code }) => void (seen.code = code);
    await eventually("the socket is open", SOON_MS, async () => socket.readyState === WebSocket.OPEN);
    return seen;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch?.stop();
    await this.#topics.close();
    await this.#server.stop(true);
  }
}

let f: Fixture;
beforeEach(() => void (f = new Fixture()));
afterEach(() => f[Symbol.asyncDispose]());

const closed = (seen: { code?: number }): Promise<number> =>
  eventually("the socket is closed", SOON_MS, async () => seen.code);

test("the socket of a revoked key is closed with 1008 as soon as word comes, and no other", async () => {
  const [gone, kept] = [f.key(), f.key()];
  const [one, two, admin] = [await f.open(gone.secret), await f.open(kept.secret), await f.open(ADMIN)];
  f.watch = watchKeys(f.directory, f.sockets, 3_600_000); // word alone
  f.keys = f.keys.filter(({ id }) => id !== gone.id);
  f.changes++;
  f.directory.changed();
  f.watch.changed();
  expect(await closed(one)).toBe(1008);
  expect([two.code, admin.code, f.sockets.open]).toEqual([undefined, undefined, 2]);
});

test("where no word comes, the socket of a revoked key is closed by the next look", async () => {
  const { secret } = f.key();
  const one = await f.open(secret);
  f.keys = [];
  f.changes++;
  f.ms = 600; // the directory reads anew after half a second
  f.watch = watchKeys(f.directory, f.sockets, 5);
  expect(await closed(one)).toBe(1008);
});

test("a socket is closed when its key runs out, and when the secret it was opened with does", async () => {
  const old = newSecret();
  const expiring = await f.open(f.key({ expiresAt: 100 }).secret);
  f.key({ secrets: [{ ...fingerprintOf(old), until: 100 }] });
  const rotated = await f.open(old);
  const lasting = await f.open(f.key().secret);
  f.watch = watchKeys(f.directory, f.sockets, 5);
  f.ms = 99;
  expect(await f.directory.goodNow()).toBeFunction();
  expect([expiring.code, rotated.code]).toEqual([undefined, undefined]);
  f.ms = 100;
  expect([await closed(expiring), await closed(rotated)]).toEqual([1008, 1008]);
  expect(lasting.code).toBeUndefined();
});

test("sockets outlive a short absence of the keyring, and end with 1013 where keys have been unknown too long (E2)", async () => {
  const one = await f.open(f.key().secret);
  f.away = true;
  f.ms = 20_000;
  f.sockets.review(await f.directory.goodNow());
  expect(one.code).toBeUndefined();
  f.ms = 31_000;
  f.watch = watchKeys(f.directory, f.sockets, 5);
  expect(await closed(one)).toBe(1013);
});

test("word that comes during a look is followed by another one (E3)", async () => {
  const looks: PromiseWithResolvers<(who: unknown) => boolean>[] = [];
  const seen: boolean[] = [];
  const watch = watchKeys(
    {
      goodNow: () => {
        const look = Promise.withResolvers<(who: unknown) => boolean>();
        looks.push(look);
        return look.promise;
      },
    },
    { open: 1, review: (good) => void seen.push(good?.({ keyId: "key_1", scopes: [] }) ?? false) },
    3_600_000,
  );
  watch.changed();
  watch.changed();
  watch.changed();
  expect(looks.length).toBe(1);
  looks[0]?.resolve(() => true);
  await eventually("it looks again", SOON_MS, async () => looks.length === 2);
  looks[1]?.resolve(() => false);
  await eventually("both were reviewed", SOON_MS, async () => seen.length === 2);
  expect(seen).toEqual([true, false]);
  watch.stop();
});
