import { expect, test } from "bun:test";
import { parseExact } from "#infra/json/exact.ts";
import { createTroupe, memory, type RefusedError } from "#runtime";
import type { JsonSchema } from "./messages.ts";
import { EventSchema } from "./schema.ts";
import { schemaOf, storedSchema } from "./stored.ts";

const first = { type: "object", properties: { a: { type: "string" } } };

test("schema.put() counts versions, and the same schema again is none", async () => {
  await using troupe = await createTroupe({ actors: [EventSchema], stores: { default: memory() } });
  const schema = troupe.ref(EventSchema, "demo.made");
  expect(await schema.put({ schema: first, force: false })).toEqual({ version: 1, changed: true });
  expect(await schema.put({ schema: first, force: false })).toEqual({ version: 1, changed: false });
  expect(await schema.put({ schema: true, force: false })).toEqual({ version: 2, changed: true });
  expect((await schema.get()).map(({ version, forced }) => [version, forced])).toEqual([
    [1, false],
    [2, false],
  ]);
});

test("schema.put() refuses a change that breaks what is valid, unless forced", async () => {
  await using troupe = await createTroupe({ actors: [EventSchema], stores: { default: memory() } });
  const schema = troupe.ref(EventSchema, "demo.made");
  const stricter = { ...first, required: ["a"] };
  await schema.put({ schema: first, force: false });
  const refused = await schema.put({ schema: stricter, force: false }).catch((error: RefusedError) => error);
  expect(refused).toMatchObject({ reason: "incompatible", data: { differences: [{ path: "/required" }] } });
  expect(await schema.put({ schema: stricter, force: true })).toEqual({ version: 2, changed: true });
  expect((await schema.get()).at(-1)).toMatchObject({ forced: true });
});

test("schema.put() keeps the numbers of a schema as they came", async () => {
  await using troupe = await createTroupe({ actors: [EventSchema], stores: { default: memory() } });
  const ref = troupe.ref(EventSchema, "orders/create");
  const put = (text: string) => ref.put({ ...storedSchema(parseExact(text) as JsonSchema), force: false });
  expect(await put('{"maximum":9007199254740992}')).toMatchObject({ version: 1 });
  expect(await put('{"maximum":9007199254740993}')).toEqual({ version: 2, changed: true });
  expect(await put('{"maximum":9007199254740993}')).toEqual({ version: 2, changed: false });
  expect(await put('{"maximum":9007199254740992}').catch(({ reason }: RefusedError) => reason)).toBe("incompatible");
  const [, second] = await ref.get();
  expect(second && JSON.stringify(schemaOf(second))).toBe('{"maximum":9007199254740993}');
});

test("schema.put() keeps the last ten versions", async () => {
  await using troupe = await createTroupe({ actors: [EventSchema], stores: { default: memory() } });
  const schema = troupe.ref(EventSchema, "demo.made");
  for (let maxLength = 1; maxLength <= 12; maxLength++) await schema.put({ schema: { maxLength }, force: false });
  expect((await schema.get()).map(({ version }) => version)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});
