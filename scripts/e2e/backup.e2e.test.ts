import { expect, setDefaultTimeout, test } from "bun:test";
import { drill } from "../drill/drill.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(480_000);

test("a backup under load, restored where nothing is left, brings every order to its end and the books to balance", async () => {
  const said: string[] = [];
  const { checks } = await drill({ orders: 12, say: (line) => void said.push(line) });
  expect(checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(checks.map(({ name }) => name)).toEqual([
    "the backup is whole",
    "the secrets are apart, for their owner alone",
    "the backup holds nothing to open it with",
    "a backup is never written over",
    "the restore is whole",
    "a database that is not empty is left alone",
    "every order of before the backup is delivered",
    "every order of meanwhile is there whole, or not at all",
    "each order took one piece, and no repeat a second",
    "the invariants of the shop hold",
    "a repeat of a request of before finds its order",
  ]);
  expect(said.join("\n")).toMatch(/restored [1-9]\d* rows/);
});
