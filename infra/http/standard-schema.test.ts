import { describe, expect, test } from "bun:test";
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { actor, createTroupe, InvalidInputError, memory, standard } from "#runtime";
import { jsonSchemaOf } from "./json-schema.ts";

const Zod = actor("zod-counter", {
  key: standard(z.string().max(5)),
  state: standard(z.object({ count: z.number() })),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": standard(z.object({ by: z.number() })) },
  messages: ({ command, query }) => ({
    add: command(
      { in: standard(z.object({ by: z.coerce.number().min(1) })), out: standard(z.number()) },
      (c, { by }) => {
        c.emit("counter.added.v1", { by });
        return (c.state.count += by);
      },
    ),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const Ark = actor("ark-counter", {
  state: standard(type({ count: "number" })),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({
    add: command(
      { in: standard(type({ by: "number > 0", "note?": "string" })), out: standard(type("number")) },
      (c, { by }) => {
        return (c.state.count += by);
      },
    ),
  }),
});

describe("actors whose schemas are of another library", () => {
  for (const [name, Counter] of [["zod", Zod] as const, ["arktype", Ark] as const]) {
    test(`what ${name} takes is a turn, and what it does not take is named place by place`, async () => {
      const troupe = await createTroupe({ actors: [Zod, Ark], stores: { default: memory() } });
      expect(await troupe.call(Counter.type, "a", "add", { by: 2 })).toBe(2);
      const error: unknown = await troupe.call(Counter.type, "a", "add", { by: -1 }).catch((thrown: unknown) => thrown);
      expect(error instanceof InvalidInputError && error.issues.map(({ path }) => path)).toEqual(["/by"]);
      await troupe.stop();
    });
  }

  test("values come as their schema makes them, and keys are held to theirs", async () => {
    const troupe = await createTroupe({ actors: [Zod], stores: { default: memory() } });
    expect(await troupe.call("zod-counter", "a", "add", { by: "3" })).toBe(3);
    const error: unknown = await troupe
      .ref(Zod, "too-long")
      .value()
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    const sum: number = await troupe.ref(Zod, "a").add({ by: 1 });
    expect(sum).toBe(4);
    // @ts-expect-error -- the types are those of the schema
    const wrong = (): Promise<number> => troupe.ref(Zod, "a").add({ to: 1 });
    expect(wrong).toBeFunction();
    await troupe.stop();
  });

  test("a schema that answers later is refused when it is asked", () => {
    const later = standard(z.string().refine(async () => true));
    expect(() => v.safeParse(later, "x")).toThrow();
  });
});

test("a schema of another library is described by its own JSON Schema, each way", () => {
  const schema = standard(z.object({ by: z.number().min(1), note: z.string().default("") }));
  expect(jsonSchemaOf(schema, "input")).toMatchObject({
    type: "object",
    properties: { by: { type: "number", minimum: 1 } },
    required: ["by"],
  });
  expect(jsonSchemaOf(schema, "output")).toMatchObject({ type: "object", required: ["by", "note"] });
});
