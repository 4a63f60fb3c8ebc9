import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { actor, type AnyActorType, createTroupe, memory } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { ContractError, contractCheck } from "./check.ts";
import { contractOf } from "./contract.ts";
import { contractDifferences } from "./differences.ts";

interface Parts {
  readonly in?: v.GenericSchema;
  readonly out?: v.GenericSchema;
  readonly event?: v.GenericSchema;
  readonly state?: v.GenericSchema;
}

const TEXT = v.object({ text: v.string() });

function made({ in: input = TEXT, out = TEXT, event = TEXT, state = TEXT }: Parts = {}): AnyActorType {
  return actor("note", {
    state,
    initial: () => ({ text: "" }),
    emits: { "note.written.v1": event },
    messages: ({ command }) => ({ write: command({ in: input, out }, () => ({ text: "" })) }),
  });
}

const found = (was: Parts, is: Parts) =>
  contractDifferences(contractOf(made(was)), contractOf(made(is))).map(({ part, pointer, was: before, is: now }) => [
    part,
    pointer,
    before,
    now,
  ]);

describe("contractDifferences()", () => {
  const more = v.object({ text: v.string(), note: v.optional(v.string()) });
  const must = v.object({ text: v.string(), note: v.string() });

  test("has nothing to say about the same code, and about what may be added", () => {
    expect(found({}, {})).toEqual([]);
    expect(found({}, { in: more, out: must, event: must, state: more })).toEqual([]);
  });

  test("an input may widen and not narrow", () => {
    const at = (quantity: v.GenericSchema) => ({ in: v.object({ quantity }) });
    const atLeast = (n: number) => v.pipe(v.number(), v.minValue(n));
    expect(found(at(atLeast(2)), at(atLeast(1)))).toEqual([]);
    expect(found(at(atLeast(1)), at(atLeast(2)))).toEqual([["write.in", "/properties/quantity/minimum", 1, 2]]);
    expect(found(at(v.picklist(["a"])), at(v.picklist(["a", "b"])))).toEqual([]);
    expect(found(at(v.picklist(["a", "b"])), at(v.picklist(["a"])))).toEqual([
      ["write.in", "/properties/quantity/enum", ["a", "b"], ["a"]],
    ]);
    expect(found(at(v.pipe(v.number(), v.integer())), at(v.number()))).toEqual([]);
    expect(found(at(v.string()), at(v.union([v.string(), v.number()])))).toEqual([]);
    expect(found(at(v.number()), at(v.string()))).toEqual([
      ["write.in", "/properties/quantity/type", "number", "string"],
    ]);
    expect(found({}, { in: must })).toEqual([["write.in", "/properties/note", undefined, "required"]]);
    expect(found({ in: more }, { in: must })).toEqual([["write.in", "/properties/note", "optional", "required"]]);
  });

  test("an output and an event may narrow and not widen", () => {
    for (const [part, name] of [
      ["out", "write.out"],
      ["event", "note.written.v1"],
    ] as const) {
      const at = (schema: v.GenericSchema) => ({ [part]: schema });
      expect(found(at(v.picklist(["a", "b"])), at(v.picklist(["a"])))).toEqual([]);
      expect(found(at(v.picklist(["a"])), at(v.picklist(["a", "b"])))).toEqual([[name, "/enum", ["a"], ["a", "b"]]]);
      expect(found(at(v.string()), at(v.nullable(v.string())))).toEqual([[name, "/anyOf/1/type", "string", "null"]]);
      expect(found(at(must), at(TEXT))).toEqual([[name, "/properties/note", "required", undefined]]);
    }
  });

  test("a state is read both ways: only optional fields may come", () => {
    expect(found({}, { state: must })).toEqual([["state", "/properties/note", undefined, "required"]]);
    expect(found({ state: must }, {})).toEqual([["state", "/properties/note", "required", undefined]]);
    expect(found({ state: v.object({ n: v.number() }) }, { state: v.object({ n: v.nullable(v.number()) }) })).toEqual([
      ["state", "/properties/n/anyOf/1/type", "number", "null"],
    ]);
  });

  test("goes into lists, records, alternatives and tagged unions", () => {
    const shape = (inner: v.GenericSchema) => ({
      in: v.object({
        list: v.array(inner),
        byName: v.record(v.string(), inner),
        either: v.variant("kind", [v.object({ kind: v.literal("x"), inner }), v.object({ kind: v.literal("y") })]),
      }),
    });
    expect(found(shape(v.string()), shape(v.string()))).toEqual([]);
    expect(found(shape(v.string()), shape(v.number())).map(([, pointer]) => pointer)).toEqual([
      "/properties/list/items/type",
      "/properties/byName/additionalProperties/type",
      "/properties/either/anyOf/0",
    ]);
  });

  test("a message may not go while somebody may send it", () => {
    const without = actor("note", { state: TEXT, initial: () => ({ text: "" }), messages: () => ({}) });
    expect(contractDifferences(contractOf(made()), contractOf(without))).toMatchObject([
      { part: "write", was: "command", is: undefined },
    ]);
    expect(contractDifferences(contractOf(without), contractOf(made()))).toEqual([]);
  });
});

test("a node whose contracts do not fit is refused with the difference, and may start when the others have left", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  const start = (nodeId: string, type: AnyActorType) =>
    createTroupe({
      actors: [type],
      stores,
      transport: network.transport(),
      nodeId,
      contracts: contractCheck(),
      leaseMs: 100,
    });
  const old = await start("old", made());
  await using fitting = await start("fitting", made({ in: v.object({ text: v.optional(v.string()) }) }));
  const next = made({ state: v.object({ text: v.number() }) });
  const refused = await start("new", next).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ContractError);
  expect((refused as ContractError).message).toContain('note  state  /properties/text/type  was "string", is "number"');
  expect((await stores.default.nodes()).map(({ id }) => id)).not.toContain("new");
  await old.stop();
  await fitting.stop();
  const end = Date.now() + 4_000;
  let started;
  while (started === undefined && Date.now() < end) started = await start("new", next).catch(() => undefined);
  expect(started?.nodeId).toBe("new");
  await started?.stop();
});
