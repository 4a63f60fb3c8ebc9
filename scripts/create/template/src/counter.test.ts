import { afterEach, beforeEach, expect, test } from "bun:test";
import { createTroupe, memory, RefusedError, type Troupe } from "troupe";
import { Counter } from "./counter.ts";

let troupe: Troupe;
beforeEach(async () => {
  troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
});
afterEach(() => troupe.stop());

test("a counter adds up, and the same id adds once", async () => {
  const visits = troupe.ref(Counter, "visits");
  expect(await visits.add({ by: 2 }, { id: "click-1" })).toBe(2);
  expect(await visits.add({ by: 2 }, { id: "click-1" })).toBe(2);
  expect(await visits.value()).toBe(2);
});

test("a counter does not count down", async () => {
  const refusal: unknown = await troupe
    .ref(Counter, "visits")
    .add({ by: -1 })
    .catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RefusedError);
});
