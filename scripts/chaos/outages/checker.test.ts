import { expect, test } from "bun:test";
import { type Broker, BROKERS } from "#infra/base/brokers.ts";
import { check } from "./checker.ts";
import { type Delivered, type History, type Letter, type Posted } from "./history.ts";

const at = (n: number): number => 1_000 * n;
const posted = (n: number): Posted => ({ stream: "events", key: "a", n, id: `a-${n}`, acceptedAt: at(n) });
const there = (n: number): Delivered => ({ stream: "events", key: "a", n, id: `a-${n}`, at: at(n) + 5 });
const all = (list: readonly Delivered[]): Record<Broker, readonly Delivered[]> => ({
  nats: list,
  kafka: list,
  rabbitmq: list,
  redis: list,
});

/** Ten events; NATS is away from the third to the sixth, and gets these afterwards. */
const numbers = Array.from({ length: 10 }, (_, i) => i + 1);
const held: History = {
  episodes: [
    { fault: "none", from: at(0), back: at(2), drained: at(2) },
    { fault: "nats", away: "nats", from: at(2) + 500, back: at(6) + 500, drained: at(7) },
  ],
  posted: numbers.map(posted),
  delivered: {
    ...all(numbers.map(there)),
    nats: numbers.map((n) => (n >= 3 && n <= 6 ? { ...there(n), at: at(6) + 600 } : there(n))),
  },
  letters: [],
  ready: [
    { at: at(1), status: 200, down: [] },
    { at: at(4), status: 503, down: ["nats"] },
    { at: at(7), status: 200, down: [] },
  ],
  refusals: [{ status: 503, retryAfter: true, body: "again", count: 3 }],
  uncaught: [],
};
const says = (more: Partial<History>): string[] =>
  check({ ...held, ...more }).map(({ kind, text }) => `${kind}: ${text}`);
const on = (broker: Broker, list: readonly Delivered[]): Partial<History> => ({
  delivered: { ...held.delivered, [broker]: list },
});

test("check() has nothing to say about a run in which everything held, repeats included", () => {
  expect(says({})).toEqual([]);
  expect(says(on("kafka", [1, 2, 3, 2, 3, 4, 1, 5, 6, 7, 8, 9, 10].map(there)))).toEqual([]);
});

test.each([...BROKERS])("check() objects to what was answered and is not at %s", (broker) => {
  const rest = held.delivered[broker].filter(({ n }) => n !== 5);
  expect(says(on(broker, rest))).toEqual([
    `lost: ${broker}: events/a#5 was answered and is neither there nor a dead letter`,
  ]);
  const letter: Letter = { stream: "events", key: "a", n: 5, broker, reason: "broker" };
  expect(says({ ...on(broker, rest), letters: [letter] })).toEqual([]);
  expect(says({ ...on(broker, rest), letters: [{ ...letter, reason: "" }] })).toHaveLength(1);
  const other = broker === "nats" ? "kafka" : "nats";
  expect(says({ ...on(broker, rest), letters: [{ ...letter, broker: other }] })).toHaveLength(1);
});

test("check() tells which fault a loss belongs to", () => {
  const rest = held.delivered.redis.filter(({ n }) => n !== 5 && n !== 1);
  expect(check({ ...held, ...on("redis", rest) }).map(({ episode }) => episode)).toEqual([0, 1]);
});

test("check() objects to what nobody posted, to another id, and to two ids of one event", () => {
  const ten = numbers.map(there);
  expect(says(on("redis", [...ten, there(11)]))).toEqual([
    "unknown: redis: events/a#11 was never posted, and is there as a-11",
  ]);
  expect(says(on("redis", [...ten.slice(0, 9), { ...there(10), id: "b-1" }]))).toEqual([
    "unknown: redis: events/a#10 was posted as a-10, and is b-1",
  ]);
  const order: Posted = { stream: "orders", key: "o", n: 1, acceptedAt: at(1) };
  const one: Delivered = { stream: "orders", key: "o", n: 1, id: "evt_1", at: at(1) };
  const delivered = all([one, ...ten]);
  const twice = { ...delivered, kafka: [one, ...ten, { ...one, id: "evt_2" }] };
  expect(says({ posted: [order, ...held.posted], delivered })).toEqual([]);
  expect(says({ posted: [order, ...held.posted], delivered: twice })).toEqual([
    "unknown: kafka: orders/o#1 is there as evt_1 and as evt_2",
  ]);
});

test("check() takes what was never answered as it is, there or not, and asks why it was not", () => {
  const { acceptedAt: _, ...open } = posted(11);
  const more = [...held.posted, open];
  expect(says({ posted: more })).toEqual(["answer: events/a#11 was never answered"]);
  expect(says({ posted: more, ...on("redis", [...numbers, 11].map(there)) })).toHaveLength(1);
});

test("check() objects to a first delivery behind a later one of its key, and not to a repeat", () => {
  const swapped = [1, 2, 3, 5, 4, 6, 7, 8, 9, 10].map(there);
  expect(says(on("rabbitmq", swapped))).toEqual(["order: rabbitmq: events/a#4 comes first after #5 of its key"]);
  const others = numbers.map((n) => ({ ...there(n), key: "b", id: `b-${n}` }));
  const both = [...held.posted, ...numbers.map((n) => ({ ...posted(n), key: "b", id: `b-${n}` }))];
  const delivered = all([...others, ...numbers.map(there)]);
  expect(says({ posted: both, delivered })).toEqual([]);
});

test("check() objects to a broker that got nothing while another one was away", () => {
  const late = numbers.map((n) => (n >= 3 && n <= 6 ? { ...there(n), at: at(7) } : there(n)));
  expect(says(on("kafka", late))).toEqual(["apart: kafka: got nothing for the 4 s that nats was away"]);
  const quiet = held.posted.filter(({ n }) => n < 3 || n > 6);
  expect(says({ posted: quiet, delivered: all([1, 2, 7, 8, 9, 10].map(there)) })[0]).toBe(
    "apart: Nothing was accepted while nats was away",
  );
});

test("check() objects to a backlog that stays", () => {
  const episodes = held.episodes.map(({ drained: _, ...rest }) => rest);
  expect(says({ episodes })).toEqual([
    "backlog: The backlog of none did not go",
    "backlog: The backlog of nats did not go",
  ]);
});

test("check() objects to a /ready that names nothing, the wrong one, or goes on naming", () => {
  const unsaid = "ready: /ready never said that nats is down";
  const unhealed = "ready: /ready never said that nats is back";
  const [before, during, after] = held.ready;
  if (before === undefined || during === undefined || after === undefined) throw new Error("three sightings");
  expect(says({ ready: [before, after] })).toEqual([unsaid]);
  expect(says({ ready: [before, { ...during, down: ["kafka"] }, after] })).toEqual([unsaid]);
  expect(says({ ready: [before, during, { ...after, down: ["nats"] }] })).toEqual([unhealed]);
  expect(says({ ready: [before, during, { ...after, status: 503 }] })).toEqual([unhealed]);
  expect(says({ ready: [during, { ...after, at: at(5) }] })).toEqual([unhealed]);
});

test("check() objects to 5xx other than 503, to refusals without Retry-After, and to errors nobody caught", () => {
  const refusal = (status: number, retryAfter: boolean) => ({
    refusals: [{ status, retryAfter, body: "text", count: 2 }],
  });
  expect(says(refusal(429, true))).toEqual([]);
  for (const [status, after] of [
    [500, true],
    [503, false],
    [429, false],
    [422, true],
  ] as const)
    expect(says(refusal(status, after))).toEqual([`answer: 2 × ${status}: text`]);
  expect(says({ uncaught: ["app:rejection"] })).toEqual(["uncaught: The app logged app:rejection"]);
});
