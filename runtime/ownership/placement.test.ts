import { expect, test } from "bun:test";
import type { NodeRow } from "../ports/store.ts";
import { candidates, place } from "./placement.ts";

const PARTITIONS = 64;
const nobody = Array.from({ length: PARTITIONS }, () => undefined);

function counts(placed: readonly (string | undefined)[], nodes: readonly string[]): number[] {
  return nodes.map((node) => placed.filter((at) => at === node).length);
}

function moved(before: readonly (string | undefined)[], after: readonly (string | undefined)[]): number {
  return before.filter((node, i) => node !== undefined && node !== after[i]).length;
}

const node = (id: string, types: readonly string[] | undefined, owns = true): NodeRow => ({
  id,
  info: types === undefined ? undefined : { address: undefined, owns, types, leaseMs: 1 },
  since: 0,
  leaseLeftMs: 1,
});

test("place() shares evenly however many nodes there are", () => {
  for (let n = 1; n <= 70; n++) {
    const nodes = Array.from({ length: n }, (_, i) => `node_${i}`);
    const held = counts(place(nodes, nobody), nodes);
    expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
    expect(held.reduce((a, b) => a + b)).toBe(PARTITIONS);
  }
});

test("place() moves no more than a join asks for, and nothing when it is asked again", () => {
  const alone = place(["a"], nobody);
  const two = place(["a", "b"], alone);
  expect(moved(alone, two)).toBe(32);
  const three = place(["a", "b", "c"], two);
  expect(moved(two, three)).toBe(21);
  expect(place(["c", "a", "b"], three)).toEqual(three);
});

test("place() moves only what a leaving node held", () => {
  const three = place(["a", "b", "c"], nobody);
  const left = three.filter((at) => at === "b").length;
  expect(moved(three, place(["a", "c"], three))).toBe(left);
});

test("place() ends even after any order of joins and leaves, each node deciding by the same rows", () => {
  let seed = 7;
  const random = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  let nodes = ["n0"];
  let owners: readonly (string | undefined)[] = nobody;
  for (let round = 1; round < 200; round++) {
    if (nodes.length > 1 && random(2) === 0) nodes = nodes.filter((_, i) => i !== random(nodes.length));
    else nodes = [`n${round}`, ...nodes];
    owners = place(nodes, owners);
    const held = counts(owners, nodes);
    expect(Math.max(...held) - Math.min(...held)).toBeLessThanOrEqual(1);
  }
});

test("place() leaves everything with nobody when there is no node", () => {
  expect(place([], ["a", undefined])).toEqual([undefined, undefined]);
});

test("candidates() are the nodes that take partitions and know every type", () => {
  expect(candidates([node("b", ["order"]), node("a", ["order"]), node("c", ["order"], false)])).toEqual(["a", "b"]);
  expect(candidates([node("old", ["order"]), node("new", ["order", "refund"])])).toEqual(["new"]);
  expect(candidates([node("silent", undefined), node("b", ["order"])])).toEqual(["b", "silent"]);
  expect(candidates([])).toEqual([]);
});
