import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTroupe, memory, newId, RefusedError, type Troupe } from "#runtime";
import { Keyring } from "./keyring.ts";
import type { Scope } from "./messages.ts";
import { fingerprintOf, newSecret } from "./secret.ts";

let troupe: Troupe;
beforeAll(async () => {
  troupe = await createTroupe({ actors: [Keyring], stores: { default: memory() } });
});
afterAll(() => troupe.stop());

const keyring = () => troupe.ref(Keyring, "main");
const add = (scopes: Scope[] = ["orders"], expiresAt: number | null = null) => {
  const secret = newSecret();
  const id = newId("key");
  return keyring()
    .add({ id, name: "shop", scopes, expiresAt, secret: fingerprintOf(secret) })
    .then((view) => ({ id, secret, view }));
};
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "",
    (error: unknown) => (error instanceof RefusedError ? error.reason : String(error)),
  );

test("keys are 256 random bits, and the ring holds none of them", async () => {
  const { secret, view } = await add();
  expect(secret).toMatch(/^tk_[A-Za-z0-9_-]{43}$/);
  expect(view.secrets).toEqual([{ prefix: secret.slice(0, 11), until: null }]);
  expect(JSON.stringify(await troupe.inspect("keyring", "main"))).not.toContain(secret);
  expect(JSON.stringify(await keyring().list())).not.toContain(fingerprintOf(secret).hash);
});

test("rotate() keeps the secret before for the overlap, and none before that", async () => {
  const { id, secret } = await add();
  const [second, third, fourth] = [newSecret(), newSecret(), newSecret()];
  await keyring().rotate({ id, secret: fingerprintOf(second), overlapMs: 60_000 });
  const rotated = await keyring().rotate({ id, secret: fingerprintOf(third), overlapMs: 60_000 });
  expect(rotated.secrets.map(({ prefix, until }) => [prefix, until === null])).toEqual([
    [third.slice(0, 11), true],
    [second.slice(0, 11), false],
  ]);
  expect(JSON.stringify(rotated)).not.toContain(secret.slice(0, 11));
  const last = await keyring().rotate({ id, secret: fingerprintOf(fourth), overlapMs: 0 });
  expect(last.secrets.map(({ prefix }) => prefix)).toEqual([fourth.slice(0, 11)]);
});

test("what is not there or cannot be is refused", async () => {
  const { id } = await add();
  const secret = fingerprintOf(newSecret());
  expect(await refusal(keyring().add({ id, name: "b", scopes: ["admin"], expiresAt: null, secret }))).toBe(
    "key_exists",
  );
  expect(await refusal(add(["orders"], 1))).toBe("already_expired");
  await keyring().revoke({ id });
  expect(await refusal(keyring().revoke({ id }))).toBe("unknown_key");
  expect(await refusal(keyring().rotate({ id, secret, overlapMs: 0 }))).toBe("unknown_key");
  expect(await refusal(add(["orders", "orders"]))).toContain("once");
});

test("ensureAdmin() makes one admin key of many that are offered, and another only once that is gone", async () => {
  const offer = () => keyring().ensureAdmin({ id: newId("key"), secret: fingerprintOf(newSecret()) });
  const taken = await Promise.all([offer(), offer(), offer()]);
  expect(taken.filter(Boolean)).toHaveLength(1);
  const admin = (await keyring().list()).find(({ scopes }) => scopes.includes("admin"));
  await keyring().revoke({ id: admin?.id ?? "" });
  expect(await offer()).toBe(true);
});

test("table() says nothing to who knows it already", async () => {
  const { changes, keys } = await keyring().table({});
  expect(keys).not.toBeNull();
  expect(await keyring().table({ since: changes })).toEqual({ changes, keys: null });
});
