import { expect, test } from "bun:test";
import { MAX_SCANNED, readPage, pageOfAll } from "./listing.ts";

const rows = (count: number): { key: string }[] =>
  Array.from({ length: count }, (_, i) => ({ key: String(i).padStart(6, "0") }));
const lister =
  (all: { key: string }[]) =>
  async ({ limit, after }: { limit: number; after?: string }) =>
    all.filter(({ key }) => after === undefined || key > after).slice(0, limit);

async function readAll(count: number, limit: number, keep: (key: string) => boolean): Promise<string[]> {
  const list = lister(rows(count));
  const seen: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await readPage(list, { limit, cursor }, ({ key }) => (keep(key) ? key : undefined));
    seen.push(...page.items);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    if (page.next === null) return seen;
    cursor = page.next;
  }
}

test("readPage() goes through a list without losing or doubling an entry", async () => {
  for (const [count, limit] of [
    [0, 5],
    [5, 5],
    [200, 200],
    [201, 200],
    [450, 7],
    [400, 200],
  ] as const) {
    expect(await readAll(count, limit, () => true)).toEqual(rows(count).map(({ key }) => key));
  }
});

test("readPage() finds what a filter keeps, wherever it is", async () => {
  expect(await readAll(5_000, 3, (key) => key.endsWith("999"))).toEqual([
    "000999",
    "001999",
    "002999",
    "003999",
    "004999",
  ]);
});

test("readPage() stops looking at its bound, with a cursor to go on", async () => {
  let listed = 0;
  const list = lister(rows(MAX_SCANNED * 2));
  const page = await readPage(
    async (p) => {
      const found = await list(p);
      listed += found.length;
      return found;
    },
    { limit: 10 },
    () => undefined,
  );
  expect(page.items).toEqual([]);
  expect(page.next).not.toBeNull();
  expect(listed).toBe(MAX_SCANNED);
});

test("a list at hand goes out page by page, each entry once, also when new ones come in front of it", () => {
  const all = ["e", "d", "c", "b", "a"];
  const first = pageOfAll(all, { limit: 2 }, (item) => item);
  expect(first).toEqual({ items: ["e", "d"], next: "d" });
  const second = pageOfAll(["f", ...all], { limit: 2, cursor: "d" }, (item) => item);
  expect(second).toEqual({ items: ["c", "b"], next: "b" });
  expect(pageOfAll(all, { limit: 2, cursor: "b" }, (item) => item)).toEqual({ items: ["a"], next: null });
  expect(pageOfAll(all, { limit: 2, cursor: "gone" }, (item) => item)).toEqual({ items: [], next: null });
});
