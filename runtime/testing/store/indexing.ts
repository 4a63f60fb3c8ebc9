import type { IndexCondition, IndexWrite } from "../../ports/store.ts";
import { batch, completeIndex, fenceOf, K, query, state, type Theme } from "./kit.ts";

/** What actors are found by. */
export const indexing: Theme = (scenario, expect) => {
  const value = (key: string, field: string, text: string | undefined): IndexWrite => ({
    ...{ type: "t", key, partition: 1, field },
    value: text,
  });
  const keys = (rows: readonly { readonly key: string }[] | undefined): string[] | undefined =>
    rows?.map(({ key }) => key);

  scenario(
    "finds actors by equal values and by ranges, all of which must hold, in order and in pages",
    async (store, grants) => {
      const rows = ["d", "b", "a", "c", "e"].map((key) => ({ key, f: `2${key}`, g: key < "c" ? "3low" : "3high" }));
      await store.commit("a", {
        ...batch(grants, 1),
        states: rows.map(({ key }) => state(key, 1, `{"k":"${key}"}`)),
        index: rows.flatMap(({ key, f, g }) => [value(key, "f", f), value(key, "g", g)]),
      });
      await completeIndex(store, grants, ["f", "g"]);
      const ask = async (...conditions: readonly IndexCondition[]): Promise<string[] | undefined> =>
        keys(await store.where({ ...query(...conditions), fields: ["f", "g"] }));
      expect(await ask({ field: "g", values: ["3low"] })).toEqual(["a", "b"]);
      expect(await ask({ field: "f", values: ["2e", "2a", "2none"] })).toEqual(["a", "e"]);
      expect(await ask({ field: "f", values: [] })).toEqual([]);
      expect(await ask({ field: "f", from: "2b", before: "2d" })).toEqual(["b", "c"]);
      expect(await ask({ field: "f", from: "2b", before: "3" }, { field: "g", values: ["3high"] })).toEqual([
        "c",
        "d",
        "e",
      ]);
      expect(await ask({ field: "g", values: ["3high"] }, { field: "f", values: ["2a"] })).toEqual([]);
      const page = { ...query({ field: "f", from: "2", before: "3" }), fields: ["f", "g"], limit: 2 };
      expect(await store.where({ ...page, after: "b" })).toEqual([
        { key: "c", version: 1, schemaVersion: 1, state: '{"k":"c"}' },
        { key: "d", version: 1, schemaVersion: 1, state: '{"k":"d"}' },
      ]);
      expect(await store.where({ ...page, type: "other" })).toBe(undefined);
    },
  );

  scenario("compares index values by their bytes", async (store, grants) => {
    const texts = ["3", "3A", "3a", "3ä", "3\u0001", "3漢", "3\ufffd", "3😀"];
    await store.commit("a", {
      ...batch(grants, 1),
      states: texts.map((_, i) => state(`k${i}`)),
      index: texts.map((text, i) => value(`k${i}`, "f", text)),
    });
    await completeIndex(store, grants);
    const range = async (from: string, before: string): Promise<string[] | undefined> =>
      keys(await store.where(query({ field: "f", from, before })));
    expect(await range("3ä", "3😀")).toEqual(["k3", "k5", "k6"]);
    expect(await range("3", "3A")).toEqual(["k0", "k4"]);
    expect(await range("3\ufffd", "4")).toEqual(["k6", "k7"]);
  });

  scenario("changes and removes index values with the commit, and with the actor", async (store, grants) => {
    await completeIndex(store, grants);
    const found = async (text: string): Promise<string[] | undefined> =>
      keys(await store.where(query({ field: "f", values: [text] })));
    await store.commit("a", { ...batch(grants, 1), states: [state("k")], index: [value("k", "f", "31")] });
    await store.commit("a", { ...batch(grants, 1), index: [value("k", "f", "32")] });
    expect([await found("31"), await found("32")]).toEqual([[], ["k"]]);
    await store.commit("a", { ...batch(grants, 1), index: [value("k", "f", undefined)] });
    expect(await found("32")).toEqual([]);
    await store.commit("a", { ...batch(grants, 1), index: [value("k", "f", "33")] });
    const gone = { ...K, partition: 1, version: 2, state: undefined };
    await store.commit("a", { ...batch(grants, 1), states: [gone], index: [value("k", "f", undefined)] });
    expect(await found("33")).toEqual([]);
  });

  scenario("answers only where every partition is complete for the fields asked", async (store, grants) => {
    const ask = query({ field: "f", values: ["31"] });
    expect(await store.where(ask)).toBe(undefined);
    await completeIndex(store, grants);
    expect(await store.where(ask)).toEqual([]);
    expect(await store.where({ ...ask, fields: ["f", "g"] })).toBe(undefined);
    expect(await store.indexedFields([7])).toEqual([{ type: "t", partition: 7, fields: ["f"] }]);
    await store.fillIndex("a", [fenceOf(grants, 7)], { type: "t", actors: [], complete: undefined });
    expect(await store.where(ask)).toBe(undefined);
    expect(await store.indexedFields([7])).toEqual([]);
  });

  scenario(
    "fills the index of actors as they were read, and leaves out those a turn has written since",
    async (store, grants) => {
      await store.commit("a", {
        ...batch(grants, 1),
        states: [state("same", 1, '{"f":1}'), state("newer", 1, '{"f":2}'), state("less", 1, "{}")],
        index: [value("newer", "f", "32"), value("less", "f", "39")],
      });
      const actors = ["same", "newer", "gone"].map((key) => ({
        ...{ key, state: '{"f":1}' },
        values: [{ field: "f", value: "31" }],
      }));
      const less = { key: "less", state: "{}", values: [{ field: "f", value: undefined }] };
      const fence = [fenceOf(grants, 1)];
      await store.fillIndex("a", fence, { type: "t", actors: [...actors, less], complete: undefined });
      await completeIndex(store, grants);
      expect(keys(await store.where(query({ field: "f", values: ["31"] })))).toEqual(["same"]);
      expect(keys(await store.where(query({ field: "f", values: ["32", "39"] })))).toEqual(["newer"]);
    },
  );

  scenario(
    "drops what is left of other fields and of actors that are gone once it is complete",
    async (store, grants) => {
      await store.commit("a", {
        ...batch(grants, 1),
        states: [state("k")],
        index: [value("k", "old", "31"), value("k", "f", "32"), value("gone", "f", "33")],
      });
      await completeIndex(store, grants, ["f"]);
      await completeIndex(store, grants, ["f", "old"]);
      const ask = async (field: string, from: string): Promise<string[] | undefined> =>
        keys(await store.where({ ...query({ field, from, before: "4" }), fields: ["f", "old"] }));
      expect([await ask("old", "3"), await ask("f", "3")]).toEqual([[], ["k"]]);
      await store.commit("a", { ...batch(grants, 1), states: [state("gone")] });
      expect(await ask("f", "3")).toEqual(["k"]);
    },
  );
};
