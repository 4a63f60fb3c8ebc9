import { expect, test } from "bun:test";
import { Keyring } from "#actors/access/keyring/keyring.ts";
import type { KeyTable } from "#actors/access/keyring/messages.ts";
import { fingerprintOf, newSecret } from "#actors/access/keyring/secret.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, memoryTopics, newId } from "#runtime";
import { followKeys } from "./follow-keys.ts";
import { KeyDirectory } from "./key-directory.ts";

/** A keyring in a variable, a clock that stands, and a directory of both. */
class Fixture {
  table: { changes: number; keys: NonNullable<KeyTable["keys"]> } = { changes: 0, keys: [] };
  reads = 0;
  away = false;
  ms = 0;
  readonly directory = new KeyDirectory({
    monotonic: () => this.ms,
    now: () => this.ms,
    adminKey: "an-admin-key-of-the-environment-32",
    read: async (since) => {
      this.reads++;
      if (this.away) throw new Error("away");
      return { changes: this.table.changes, keys: since === this.table.changes ? null : this.table.keys };
    },
  });

  add(more: Partial<KeyTable["keys"] extends (infer K)[] | null ? K : never> = {}): string {
    const secret = newSecret();
    const key = { id: newId("key"), name: "a", scopes: ["orders" as const], createdAt: 0, expiresAt: null, ...more };
    this.table.keys.push({ ...key, secrets: more.secrets ?? [{ ...fingerprintOf(secret), until: null }] });
    this.table.changes++;
    return secret;
  }
}

test("KeyDirectory.find() knows a key by its hash alone, until it expires, is rotated away or revoked", async () => {
  const f = new Fixture();
  const good = f.add();
  const expiring = f.add({ expiresAt: 100 });
  const rotated = newSecret();
  f.add({ secrets: [{ ...fingerprintOf(rotated), until: 100 }] });
  for (const secret of [good, expiring, rotated]) expect((await f.directory.find(secret))?.scopes).toEqual(["orders"]);
  f.ms = 100;
  expect(await f.directory.find(good)).toBeDefined();
  for (const secret of [expiring, rotated, newSecret(), `${good}x`, good.slice(0, -1), "", "tk_"])
    expect(await f.directory.find(secret)).toBeUndefined();
  // The same beginning is not enough.
  expect(await f.directory.find(good.slice(0, -1) + (good.endsWith("A") ? "B" : "A"))).toBeUndefined();
});

test("KeyDirectory.find() refuses a revoked key within a second, and at once when it is told (K1)", async () => {
  const f = new Fixture();
  const [first, second] = [f.add(), f.add()];
  await f.directory.find(first);
  f.table.keys.splice(0, 1);
  f.table.changes++;
  f.ms = 1_001;
  expect(await f.directory.find(first)).toBeUndefined();
  f.table.keys.splice(0, 1);
  f.table.changes++;
  expect(await f.directory.find(second)).toBeDefined();
  f.directory.changed();
  expect(await f.directory.find(second)).toBeUndefined();
});

test("KeyDirectory.find() asks the keyring once for all who come, and seldom for unknown keys (K3)", async () => {
  const f = new Fixture();
  const good = f.add();
  await Promise.all(Array.from({ length: 50 }, () => f.directory.find(good)));
  for (let i = 0; i < 1_000; i++) await f.directory.find(newSecret());
  expect(f.reads).toBe(1);
  const made = f.add();
  f.ms = 49;
  expect(await f.directory.find(made)).toBeUndefined();
  f.ms = 50;
  expect(await f.directory.find(made)).toBeDefined();
  expect(f.reads).toBe(2);
});

test("KeyDirectory.find() goes on with its copy while the keyring is away, not for ever (K2)", async () => {
  const f = new Fixture();
  const good = f.add();
  await f.directory.find(good);
  f.away = true;
  f.ms = 20_000;
  expect(await f.directory.find(good)).toBeDefined();
  f.ms = 31_000;
  expect(f.directory.find(good)).rejects.toThrow("Keys cannot be checked now");
  expect(await f.directory.find("an-admin-key-of-the-environment-32")).toMatchObject({ scopes: ["admin"] });
  f.away = false;
  f.ms = 32_000;
  expect(await f.directory.find(good)).toBeDefined();
});

test("KeyDirectory.find() before the node has started is told so, holds nothing up, and finds out once it has (K2)", () => {
  const fixture = Bun.fileURLToPath(new URL("early-read.fixture.ts", import.meta.url));
  const { exitCode, stdout } = Bun.spawnSync([process.execPath, fixture], { stderr: "inherit", timeout: 10_000 });
  expect([exitCode, stdout.toString().trim()]).toEqual([0, '["rejected","rejected","unknown"]']);
}, 20_000);

test("a key that is revoked at one node is refused at another once its topic says so", async () => {
  const topics = memoryTopics();
  const stores = { default: memory() };
  await using troupe = await createTroupe({ actors: [Keyring], stores, topics });
  const keyring = troupe.ref(Keyring, "main");
  const secret = newSecret();
  const id = newId("key");
  await keyring.add({ id, name: "a", scopes: ["orders"], expiresAt: null, secret: fingerprintOf(secret) });
  // Its clock stands: only the topic can tell it.
  const elsewhere = new KeyDirectory({ read: (since) => keyring.table({ since }), monotonic: () => 0 });
  const stopping = new AbortController();
  const following = followKeys(topics, () => elsewhere.changed(), stopping.signal);
  expect(await elsewhere.find(secret)).toMatchObject({ keyId: id });
  await keyring.revoke({ id });
  await eventually("the key is refused", 1_000, async () => (await elsewhere.find(secret)) === undefined);
  stopping.abort();
  await following;
});
