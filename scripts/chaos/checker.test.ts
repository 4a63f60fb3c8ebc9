import { expect, test } from "bun:test";
import { check, type Found, type History } from "./checker.ts";

const history: History = {
  raises: [
    { counter: "a", id: "1", to: 1 },
    { counter: "a", id: "2", to: 2 },
    { counter: "a", id: "1", to: 1 },
  ],
  moves: [{ from: "x", to: "y", amount: 5 }],
};
const found: Found = {
  counters: new Map([["a", { count: 2, version: 2 }]]),
  accounts: new Map([
    ["x", { balance: -5, changes: 1, version: 1 }],
    ["y", { balance: 5, changes: 1, version: 1 }],
  ]),
  events: [
    { partition: 1, counter: "a", to: 1 },
    { partition: 1, counter: "a", to: 2 },
  ],
  sequences: new Map([[1, [1, 2, 3]]]),
  unanswered: [],
  deadLetters: [],
};
const counter = (count: number, version = count): Partial<Found> => ({
  counters: new Map([["a", { count, version }]]),
});
const says = (more: { history?: Partial<History>; found?: Partial<Found> }): string =>
  check({ ...history, ...more.history }, { ...found, ...more.found }).join("\n");

test("check() has nothing to say about a run in which everything held", () => {
  expect(says({})).toBe("");
});

test("check() objects to what is lost, doubled, answered in two ways", () => {
  expect(says({ found: counter(1) })).toContain("lost");
  expect(says({ found: counter(3) })).toContain("doubled");
  expect(says({ found: counter(2, 3) })).toContain("version is 3");
  expect(says({ history: { raises: [...history.raises, { counter: "a", id: "1", to: 2 }] } })).toContain(
    "answered 1, then 2",
  );
  expect(
    says({
      history: {
        raises: [
          { counter: "a", id: "1", to: 1 },
          { counter: "a", id: "2", to: 1 },
        ],
      },
    }),
  ).toContain("same count");
});

test("check() objects to money that went missing, came from nowhere, or moved twice", () => {
  const y = (balance: number, changes = 1): Partial<Found> => ({
    accounts: new Map([...found.accounts, ["y", { balance, changes, version: changes }]]),
  });
  expect(says({ found: y(4) })).toContain("hold -1");
  expect(says({ found: y(10, 2) })).toContain("1 changes were sent, 2 arrived");
  expect(says({ history: { moves: [] } })).toContain("0 changes were sent");
});

test("check() objects to events out of order, missing, doubled, and to gaps in the sequence", () => {
  const events = (...to: number[]): Partial<Found> => ({
    events: to.map((n) => ({ partition: 1, counter: "a", to: n })),
  });
  expect(says({ found: events(2, 1) })).toContain("for 2 follows the one for 0");
  expect(says({ found: events(1) })).toContain("events tell of 1");
  expect(says({ found: events(1, 2, 2) })).toContain("for 2 follows the one for 2");
  expect(says({ found: { sequences: new Map([[1, [1, 3]]]) } })).toContain("from 1 to 3");
});

test("check() objects to sends that had no turn, and to messages that were given up", () => {
  expect(says({ found: { unanswered: ["msg_1 to account/x"] } })).toContain("had no turn: msg_1");
  expect(says({ found: { deadLetters: ["msg_1 to account/x: why"] } })).toContain("given up: msg_1");
});
