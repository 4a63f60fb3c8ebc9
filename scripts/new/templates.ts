import type { ActorNames } from "./names.ts";

/** The files of a new actor by name: small, but whole. Each shows a thing that most actors need. */
export function actorFiles(names: ActorNames): Readonly<Record<string, string>> {
  return {
    "messages.ts": messages(names),
    [`${names.actor}.ts`]: definition(names),
    [`${names.actor}.test.ts`]: tests(names),
  };
}

function messages({ actor, type, variable, words }: ActorNames): string {
  return `import * as v from "valibot";

/** What a ${words} is called: 1 to 200 characters. */
const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

export const Rename${type} = v.strictObject({ name: Name });

export const ${type}Renamed = v.object({ name: v.string() });

/** Events of the actor \`${actor}\`, by wire name. */
export const ${variable}Events = { "${actor}.renamed.v1": ${type}Renamed };
`;
}

function definition({ actor, type, variable, words }: ActorNames): string {
  return `/**
 * ${type}: one ${words}.
 *
 * Owns: its name. Does not own: anything else yet.
 */
import * as v from "valibot";
import { actor } from "#runtime";
import { Rename${type}, ${variable}Events } from "./messages.ts";

const State = v.object({ name: v.nullable(v.string()) });

/** One ${words}, keyed by its id. */
export const ${type} = actor("${actor}", {
  state: State,
  initial: () => ({ name: null }),
  emits: ${variable}Events,
  messages: ({ command, query }) => ({
    /** Gives it a name. Refused with \`unchanged\` when that is its name already. */
    rename: command({ in: Rename${type} }, (c, { name }) => {
      c.require(name !== c.state.name, "unchanged", { name });
      c.state.name = name;
      c.emit("${actor}.renamed.v1", { name });
    }),

    /** Its name; \`null\` before it was given one. */
    name: query({ out: v.nullable(v.string()) }, (c) => c.state.name),
  }),
});
`;
}

function tests({ actor, type }: ActorNames): string {
  return `import { expect, test } from "bun:test";
import { emittedBy } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { ${type} } from "./${actor}.ts";

async function one() {
  const store = memory();
  const troupe = await createTroupe({ actors: [${type}], stores: { default: store } });
  return { store, it: troupe.ref(${type}, "one"), [Symbol.asyncDispose]: () => troupe.stop() };
}

test("${type}.rename() keeps the name and emits that it changed", async () => {
  await using s = await one();
  expect(await s.it.name()).toBeNull();
  await s.it.rename({ name: "first" });
  expect(await s.it.name()).toBe("first");
  expect(await emittedBy(s.store)).toEqual(["${actor}.renamed.v1"]);
});

test("${type}.rename() to the name it has is refused and leaves no trace", async () => {
  await using s = await one();
  await s.it.rename({ name: "first" });
  const refused = await s.it.rename({ name: "first" }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "refused", reason: "unchanged", data: { name: "first" } });
  expect(await emittedBy(s.store)).toHaveLength(1);
});

test("${type}.rename() repeated under one id acts once", async () => {
  await using s = await one();
  await s.it.rename({ name: "first" }, { id: "request-1" });
  await s.it.rename({ name: "first" }, { id: "request-1" });
  expect(await emittedBy(s.store)).toHaveLength(1);
});
`;
}
