import { expect, test } from "bun:test";
import { parseExact } from "#infra/json/exact.ts";
import { dataOf, eventOf, isEditable, withData } from "./dead-letter-data.ts";

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

const big = parseExact('{"n":9007199254740993,"m":1.0}');

test.each(LETTERS)("%s: numbers of its data stay what they are, as they are read and as they are put", (_, body) => {
  const changed = withData(body, big);
  expect(JSON.stringify(dataOf(of(changed)))).toBe('{"n":9007199254740993,"m":1.0}');
  // Whoever reads the dead letter's message reads it with JSON.parse, but for those that are on their way to a broker.
  if (!("to" in (body as object)))
    expect(JSON.stringify(dataOf(of(JSON.parse(JSON.stringify(changed)))))).toContain("9007199254740993");
  expect(withData(changed, { n: 1 })).toEqual(body);
});

test("new data takes the place of bytes: both never stand beside each other", () => {
  const bytes = { specversion: "1.0", id: "1", source: "/demo", type: "demo.made", data_base64: "AA==" };
  for (const body of [{ event: bytes }, { to: { sink: "kafka", topic: "t" }, key: "k", event: bytes }])
    expect(withData(body, { n: 2 })).toMatchObject({ event: expect.not.objectContaining({ data_base64: "AA==" }) });
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
