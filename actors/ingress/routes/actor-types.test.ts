import { afterAll, beforeAll, expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { createIngress, type Ingress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const Shelf = actor("shelf", {
  state: v.object({ books: v.number(), secret: v.string() }),
  initial: () => ({ books: 0, secret: "s3cret" }),
  index: ["books"],
  messages: ({ command, query }) => ({
    fill: command({ in: v.strictObject({ by: v.number() }), refuses: ["full"] }, (c, { by }) => {
      c.state.books += by;
    }),
    count: query({ out: v.number() }, (c) => c.state.books),
  }),
});
const Diary = actor("diary", {
  state: v.object({ pages: v.number() }),
  initial: () => ({ pages: 0 }),
  journal: true,
  emits: { "diary.written.v1": v.object({ text: v.string(), secret: v.string() }) },
  apply: { "diary.written.v1": (state) => void state.pages++ },
  messages: ({ command }) => ({
    write: command({ in: v.string() }, (c, text) => c.emit("diary.written.v1", { text, secret: "s3cret" })),
  }),
});

let troupe: Troupe;
let app: Ingress;

beforeAll(async () => {
  const actors = [Shelf, Diary];
  troupe = await createTroupe({ actors, stores: { default: memory() } });
  const search = { actors, sinks: [], containers: () => undefined, lines: { find: () => [] } };
  app = createIngress(stubDeps({ troupe: () => troupe, search }));
  for (const [key, by] of [
    ["a", 3],
    ["b", 30],
    ["c", 300],
  ] as const)
    await troupe.ref(Shelf, key).fill({ by });
  await troupe.ref(Shelf, "a").fill({ by: 1 });
});
afterAll(() => troupe.stop());

async function ask(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await app.handle(new Request(`http://localhost${path}`));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("the actors of a type are listed page by page, without their secrets", async () => {
  const first = await ask("/actors/shelf?limit=2");
  expect(first.body).toEqual({
    items: [
      { key: "a", version: 2, state: { books: 4, secret: "[secret]" } },
      { key: "b", version: 1, state: { books: 30, secret: "[secret]" } },
    ],
    next: "b",
  });
  expect((await ask("/actors/shelf?limit=2&cursor=b")).body).toMatchObject({ items: [{ key: "c" }], next: null });
  expect((await ask("/actors/nobody")).status).toBe(404);
});

test("actors are found by the fields that their type indexes; what cannot be asked is said", async () => {
  const where = (filter: string) => ask(`/actors/shelf?where=${encodeURIComponent(filter)}`);
  expect((await where('{"books":{"gte":30}}')).body).toMatchObject({ items: [{ key: "b" }, { key: "c" }], next: null });
  for (const [filter, says] of [
    ["[]", "must be a JSON object"],
    ["{", "must be a JSON object"],
    ['{"secret":"s3cret"}', "books"],
  ] as const) {
    const { status, body } = await where(filter);
    expect([filter, status]).toEqual([filter, 422]);
    expect(JSON.stringify(body["errors"])).toContain(says);
  }
});

test("a type is shown with the schema of each message", async () => {
  expect((await ask("/actor-types/shelf")).body).toEqual({
    ...{ type: "shelf", index: ["books"], journal: false },
    messages: [
      {
        ...{ name: "fill", kind: "command", refuses: ["full"] },
        input: {
          type: "object",
          properties: { by: { type: "number" } },
          required: ["by"],
          additionalProperties: false,
        },
      },
      { name: "count", kind: "query", refuses: [], input: null },
    ],
  });
});

test("what happened to a journaled actor is shown in order, without secrets; a type without a journal has none", async () => {
  for (const text of ["one", "two"]) await troupe.ref(Diary, "ann").write(text);
  expect((await ask("/actors/diary/ann/journal?limit=1&after=1")).body).toMatchObject({
    items: [{ seq: 2, type: "diary.written.v1", data: { text: "two", secret: "[secret]" } }],
    next: 2,
  });
  expect((await ask("/actors/diary/ann/journal?after=2")).body).toEqual({ items: [], next: null });
  expect((await ask("/actors/shelf/a/journal")).status).toBe(404);
});
