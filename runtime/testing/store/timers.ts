import type { TimerRow } from "../../ports/store.ts";
import { batch, K, timer, type Theme } from "./kit.ts";

/** Timers. */
export const timers: Theme = (scenario, expect) => {
  const names = (rows: readonly { readonly name: string }[]): string[] => rows.map(({ name }) => name);

  scenario(
    "gives the timers of its partitions up to a horizon, soonest first, as many as asked",
    async (store, grants) => {
      const rows = [timer("c", 30), timer("a", 10), timer("d", 40), timer("b", 20, 2), timer("e", 5, 3)];
      await store.commit("a", { ...batch(grants, 1, 2, 3), timers: rows });
      expect(names(await store.timers([1, 2], 40, 10))).toEqual(["a", "b", "c"]); // the horizon itself is outside
      expect(names(await store.timers([1, 2], 41, 2))).toEqual(["a", "b"]);
      expect(names(await store.timers([3], 100, 10))).toEqual(["e"]);
      expect(await store.timers([4], 100, 10)).toEqual([]);
      expect(await store.timers([], 100, 10)).toEqual([]);
    },
  );

  scenario("replaces a timer of the same name, and removes it", async (store, grants) => {
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [{ ...timer("n", 10), input: '{"a":1}' }, timer("o", 5)],
    });
    await store.commit("a", { ...batch(grants, 1), timers: [timer("n", 20)] });
    expect(names(await store.timers([1], 15, 10))).toEqual(["o"]);
    expect(await store.timers([1], 21, 10)).toEqual([timer("o", 5), timer("n", 20)]);
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [{ ...K, partition: 1, name: "n", dueAt: undefined }],
    });
    expect(names(await store.timers([1], 100, 10))).toEqual(["o"]);
  });

  scenario("keeps what the turn of a timer is part of", async (store, grants) => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const rows = [{ ...timer("n", 10), traceparent }, timer("o", 20)];
    await store.commit("a", { ...batch(grants, 1), timers: rows });
    const traces = (all: readonly TimerRow[]) => all.map((row) => row.traceparent);
    expect(traces(await store.timers([1], 30, 10))).toEqual([traceparent, undefined]);
    expect(traces(await store.timersOf(K))).toEqual([traceparent, undefined]);
    await store.commit("a", { ...batch(grants, 1), timers: [timer("n", 10)] });
    expect(traces(await store.timersOf(K))).toEqual([undefined, undefined]);
  });

  scenario("gives the timers behind a place in their order, page by page", async (store, grants) => {
    const rows = [timer("a", 10), timer("b", 10, 2), timer("c", 10), timer("d", 20), timer("e", 30)];
    await store.commit("a", { ...batch(grants, 1, 2), timers: rows });
    const first = await store.timers([1, 2], 40, 2);
    expect(names(first)).toEqual(["a", "b"]);
    const second = await store.timers([1, 2], 40, 2, first[1]);
    expect(names(second)).toEqual(["c", "d"]);
    expect(names(await store.timers([1, 2], 40, 2, second[1]))).toEqual(["e"]);
    expect(names(await store.timers([1, 2], 30, 2, second[1]))).toEqual([]);
  });
};
