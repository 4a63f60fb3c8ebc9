import { expect, test } from "bun:test";
import { type NamedRoute, typeMatches } from "#actors/gateway/route/messages.ts";
import { parseExact } from "#infra/json/exact.ts";
import { targetsOf } from "./match.ts";

test.each([
  ["github.push", "github.push", true],
  ["github.push", "github.*", true],
  ["github.push.v1", "github.*", true],
  ["github", "github.*", false],
  ["gitlab.push", "github.*", false],
  ["github.push.v1", "github.*.v1", true],
  ["github.push.tag.v1", "github.*.v1", false],
  ["github.push", "*", true],
  ["github.push", "github", false],
] as const)("the type %s and the pattern %s: %p", (type, pattern, expected) => {
  expect(typeMatches(type, pattern)).toBe(expected);
});

const event = {
  id: "1",
  source: "/sources/github",
  type: "github.push",
  data: { action: "opened", size: 3, "a/b": null, list: [{ x: true }] },
};
const to = [{ sink: "kafka", topic: "a" }] as const;
const route = (match: Partial<NamedRoute["match"]>, more: Partial<NamedRoute> = {}): NamedRoute => ({
  name: "r",
  match: { type: "*", ...match },
  to: [...to],
  enabled: true,
  ...more,
});

test.each([
  [{ source: "github" }, true],
  [{ source: "/sources/github" }, true],
  [{ source: "gitlab" }, false],
  [{ where: { "/data/action": "opened", "/data/size": 3 } }, true],
  [{ where: { "/data/action": "opened", "/data/size": "3" } }, false],
  [{ where: { "/data/a~1b": null } }, true],
  [{ where: { "/data/list/0/x": true } }, true],
  [{ where: { "/data/none/deeper": null } }, false],
  [{ where: { "/data/toString": "x" } }, false],
  [{ where: { "/id": "1" } }, true],
] as const)("the match %p: %p", (match, expected) => {
  expect(targetsOf(event, [route(match)]).length).toBe(expected ? 1 : 0);
});

test.each([
  ["9007199254740993", "9007199254740993", true],
  ["9007199254740993", "9007199254740992", false],
  ["9007199254740992", "9007199254740993", false],
  ["1.0", "1", true],
  ["1", "1.0", true],
  ["1e400", "1e401", false],
] as const)("where asks for the number %s, and the event has %s: %p", (wanted, given, expected) => {
  const known = parseExact(wanted);
  const where = { "/data/n": typeof known === "number" ? known : { number: wanted } };
  const data = parseExact(`{"n":${given}}`);
  expect(targetsOf({ ...event, data }, [route({ where })]).length).toBe(expected ? 1 : 0);
});

test("a place that several routes name gets an event once, and a route that is off sends nothing", () => {
  const nats = { sink: "nats", subject: "a.b" } as const;
  expect(targetsOf(event, [route({}), route({}, { to: [...to, nats] }), route({}, { enabled: false })])).toEqual([
    ...to,
    nats,
  ]);
});
