import { expect, test } from "bun:test";
import { dataOf, eventOf, isEditable, withData } from "./letter-data.ts";

const event = { specversion: "1.0", id: "1", source: "/demo", type: "demo.made", data: { n: 1 } };
const of = (body: unknown, kind = "send"): string => JSON.stringify({ seq: 1, kind, body: JSON.stringify(body) });
const LETTERS: readonly (readonly [string, unknown])[] = [
  ["an event that was to be taken", { event }],
  ["an event on its way to a place", { to: { sink: "kafka", topic: "t" }, key: "k", event }],
  ["a delivery", { start: { type: "deliverWebhook", args: [{ deliveryId: "d", event }] } }],
];

test.each(LETTERS)("%s: its data is found and changed, and nothing else", (_, body) => {
  expect(dataOf(of(body))).toEqual({ n: 1 });
  expect(eventOf(of(body))).toMatchObject({ id: "1", type: "demo.made", data: { n: 1 } });
  const changed = withData(body, { n: 2 });
  expect(dataOf(of(changed))).toEqual({ n: 2 });
  expect(withData(changed, { n: 1 })).toEqual(body);
});

test("a message of an actor is changed as a whole", () => {
  expect(dataOf(of({ amount: 3 }))).toEqual({ amount: 3 });
  expect(eventOf(of({ amount: 3 }))).toBeUndefined();
  expect(withData({ amount: 3 }, { amount: 4 })).toEqual({ amount: 4 });
  expect(dataOf(JSON.stringify({ dueAt: 1, message: "note", input: '"x"' }))).toBe("x");
});

test("what is neither message nor event is not editable", () => {
  expect(isEditable({ record: of({ amount: 3 }) })).toBe(true);
  expect(isEditable({ record: JSON.stringify({ dueAt: 1, message: "note" }) })).toBe(true);
  expect(isEditable({ record: of({ start: { type: "other", args: [] } }, "workflow") })).toBe(false);
  expect(isEditable({ record: JSON.stringify({ body: "{" }) })).toBe(false);
  expect(dataOf(JSON.stringify({ body: "{" }))).toBeUndefined();
});
