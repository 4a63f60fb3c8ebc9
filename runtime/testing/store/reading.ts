import { AWKWARD, batch, K, reply, replyOf, state, type Theme } from "./kit.ts";

/** Lists of actors, and stored replies. */
export const reading: Theme = (scenario, expect) => {
  scenario(
    "lists the actors of a type in pages, without those of other types or destroyed ones",
    async (store, grants) => {
      const states = ["b", "a", "c", "e"].map((key) => state(key, 1, `{"k":"${key}"}`));
      const other = { ...state("b2"), type: "other" };
      await store.commit("a", { ...batch(grants, 1), states: [...states, other] });
      await store.commit("a", { ...batch(grants, 1), states: [{ ...state("e"), version: 2, state: undefined }] });
      expect((await store.list("t", { limit: 2, after: undefined })).map((row) => row.key)).toEqual(["a", "b"]);
      expect(await store.list("t", { limit: 2, after: "b" })).toEqual([
        { key: "c", version: 1, schemaVersion: 1, state: '{"k":"c"}' },
      ]);
      expect(await store.list("t", { limit: 2, after: "c" })).toEqual([]);
      expect(await store.list("none", { limit: 2, after: undefined })).toEqual([]);
    },
  );

  scenario("orders keys by their bytes, and loses none between pages", async (store, grants) => {
    const keys = ["B", "a", "a/b", "aa", "ä", "漢", "\ufffd", "😀", AWKWARD, '"', "\\"];
    await store.commit("a", { ...batch(grants, 1), states: keys.map((key) => state(key)) });
    const read: string[] = [];
    for (;;) {
      const page = await store.list("t", { limit: 3, after: read.at(-1) });
      if (page.length === 0) break;
      read.push(...page.map((row) => row.key));
    }
    expect(read).toEqual(['"', "B", "\\", "a", "a/b", "aa", AWKWARD, "ä", "漢", "\ufffd", "😀"]);
  });

  scenario("finds a reply by its actor and id, and takes the newest of an id", async (store, grants) => {
    await store.commit("a", { ...batch(grants, 1), replies: [{ ...reply("m"), reply: "1" }, reply("n")] });
    await store.commit("a", { ...batch(grants, 1), replies: [{ ...reply("m"), hash: "i", reply: "2" }] });
    expect(await replyOf(store, K, "m")).toEqual({ id: "m", hash: "i", reply: "2" });
    expect(await replyOf(store, K, "n")).toEqual({ id: "n", hash: "h", reply: undefined });
    expect(await replyOf(store, K, "o")).toBe(undefined);
    expect(await replyOf(store, { type: "t", key: "l" }, "m")).toBe(undefined);
    const asked = [
      { ...K, id: "o" },
      { ...K, id: "n" },
      { type: "t", key: "l", id: "m" },
      { ...K, id: "m" },
      { ...K, id: "n" },
    ];
    const found = await store.findReplies(asked);
    expect(found.map((one) => one?.id)).toEqual([undefined, "n", undefined, "m", "n"]);
    expect(await store.findReplies([])).toEqual([]);
  });

  scenario("says whether all replies of an actor were loaded, and finds the others", async (store, grants) => {
    const ids = Array.from({ length: 1_500 }, (_, i) => `m${i}`);
    await store.commit("a", { ...batch(grants, 1), replies: ids.map((id) => reply(id)) });
    const [actor] = await store.load([K]);
    const loaded = new Set(actor?.replyIds);
    expect(actor?.repliesComplete).toBe(loaded.size === ids.length);
    const missing = ids.find((id) => !loaded.has(id)) ?? "m0";
    expect((await replyOf(store, K, missing))?.id).toBe(missing);
  });

  scenario("forgets replies older than asked", async (store, grants) => {
    const ids = [reply("old", 1), reply("msg_old", 1), reply("ask_old", 2), reply("limit", 5), reply("new", 10)];
    await store.commit("a", { ...batch(grants, 1), replies: ids });
    expect(await store.pruneReplies(5, 2, 10)).toBe(2); // a send that may come again keeps what is younger than it
    expect(await replyOf(store, K, "old")).toBe(undefined);
    const left = (await store.load([K]))[0]?.replyIds.toSorted();
    expect(left).toEqual(["ask_old", "limit", "new"]);
    expect(await store.pruneReplies(11, 11, 2)).toBe(2);
    expect(await store.pruneReplies(11, 11, 2)).toBe(1);
    expect(await store.pruneReplies(11, 11, 2)).toBe(0);
  });
};
