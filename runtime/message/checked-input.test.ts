import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, checkedInput, createTroupe, InvalidInputError, memory } from "#runtime";
import { LocalNetwork } from "../testing/local-network.ts";

let looks = 0;
const Note = v.object({
  text: v.pipe(
    v.string(),
    v.check((text) => ++looks > 0 && text !== "bad"),
  ),
});
const Other = v.object({ text: v.string() });

const Book = actor("book", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] as string[] }),
  messages: ({ command, query }) => ({
    note: command({ in: Note, out: v.number() }, (c, { text }) => c.state.notes.push(text)),
    notes: query({ out: v.array(v.string()) }, (c) => c.state.notes),
  }),
});

/** How often an input was looked at by the schema while `work` ran. */
async function looksIn(work: () => Promise<unknown>): Promise<number> {
  const before = looks;
  await work();
  return looks - before;
}

test("an input that was checked by the schema of its message is not checked again; by another one, it is", async () => {
  await using troupe = await createTroupe({ actors: [Book], stores: { default: memory() } });
  const book = troupe.ref(Book, "a");
  expect(await looksIn(() => book.note({ text: "one" }))).toBe(1);
  expect(await looksIn(() => book.note(checkedInput(Note, { text: "two" })))).toBe(0);
  expect(await looksIn(() => book.note(checkedInput(Other, { text: "three" })))).toBe(1);
  await expect(book.note(checkedInput(Other, { text: "bad" }))).rejects.toBeInstanceOf(InvalidInputError);
  expect(await book.notes()).toEqual(["one", "two", "three"]);
});

test("a checked input and the same one unchecked are one message to its id, in either order", async () => {
  await using troupe = await createTroupe({ actors: [Book], stores: { default: memory() } });
  const book = troupe.ref(Book, "a");
  const checked = checkedInput(Note, { text: "x" });
  expect([await book.note(checked, { id: "1" }), await book.note({ text: "x" }, { id: "1" })]).toEqual([1, 1]);
  expect([await book.note({ text: "x" }, { id: "2" }), await book.note(checked, { id: "2" })]).toEqual([2, 2]);
  await expect(book.note(checkedInput(Note, { text: "y" }), { id: "1" })).rejects.toMatchObject({
    code: "message_id_reused",
  });
});

test("a checked input goes to another node as the input that it is, and is checked there", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  const node = (nodeId: string) =>
    createTroupe({ actors: [Book], stores: { default: store }, transport: network.transport(), nodeId });
  await using owner = await node("owner");
  await using other = await node("other");
  const key = "a";
  await owner.ref(Book, key).note({ text: "first" });
  expect(await looksIn(() => other.ref(Book, key).note(checkedInput(Note, { text: "second" })))).toBe(1);
  expect(await owner.ref(Book, key).notes()).toEqual(["first", "second"]);
});
