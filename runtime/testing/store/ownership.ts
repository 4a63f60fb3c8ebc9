import { PARTITION_COUNT } from "../../message/address.ts";
import type { Grant } from "../../ports/store.ts";
import { AWKWARD, fenceOf, K, type Theme } from "./kit.ts";

/** Leases, grants and epochs. */
export const ownership: Theme = (scenario, expect) => {
  scenario("gives every partition to the first node that asks", async (store, grants) => {
    expect(grants.size).toBe(PARTITION_COUNT);
    await store.heartbeat("b", 60_000);
    expect(await store.acquire("b")).toEqual([]);
    const owners = await store.heartbeat("b", 60_000);
    expect(owners.every((row) => row.owner === "a")).toBe(true);
    expect(owners.map((row) => row.partition).toSorted((x, y) => x - y)).toEqual([...Array(PARTITION_COUNT).keys()]);
  });

  scenario("tells every node the epochs in force", async (store, grants) => {
    await store.settle("a", [fenceOf(grants, 3)]);
    const owners = await store.heartbeat("b", 60_000);
    const epoch = (partition: number): number | undefined => owners.find((row) => row.partition === partition)?.epoch;
    expect(epoch(3)).toBe(fenceOf(grants, 3).epoch + 1);
    expect(epoch(4)).toBe(fenceOf(grants, 4).epoch);
  });

  scenario("lets another node take what was released, under a higher epoch", async (store, grants) => {
    await store.release("a", [fenceOf(grants, 3)]);
    await store.heartbeat("b", 60_000);
    const taken = await store.acquire("b");
    expect(taken.map((grant) => grant.partition)).toEqual([3]);
    expect(taken[0]?.abandoned).toBe(false);
    expect((taken[0]?.epoch ?? 0) > fenceOf(grants, 3).epoch).toBe(true);
  });

  scenario("releases only what the node holds under the epoch it gives", async (store, grants) => {
    await store.settle("a", [fenceOf(grants, 3)]);
    await store.release("a", [fenceOf(grants, 3)]);
    await store.release("b", [fenceOf(grants, 4)]);
    const owners = await store.heartbeat("b", 60_000);
    expect(owners.every((row) => row.owner === "a")).toBe(true);
  });

  scenario("lets another node take over when the lease has run out", async (store, grants) => {
    await store.heartbeat("a", 1);
    await store.heartbeat("b", 60_000);
    const taken: Grant[] = [];
    while (taken.length < PARTITION_COUNT) taken.push(...(await store.acquire("b")));
    expect(taken.length).toBe(PARTITION_COUNT);
    expect(taken.every(({ partition, epoch }) => epoch > fenceOf(grants, partition).epoch)).toBe(true);
    expect(taken.every(({ abandoned }) => abandoned)).toBe(true); // nobody gave them back
  });

  scenario("remembers how often messages were begun, and forgets those that ended, or that are old", async (store) => {
    const begun = (id: string, count: number, at = 10, partition = 3) => ({ ...K, id, partition, count, at });
    await store.saveBegun([begun("a", 1), begun(AWKWARD, 1), begun("other", 1, 10, 4), begun("old", 1, 5)]);
    await store.saveBegun([begun("a", 2, 11), begun(AWKWARD, 0), begun("unknown", 0)]);
    await store.pruneBegun(10);
    expect(await store.begun([3])).toEqual([begun("a", 2, 11)]);
    expect((await store.begun([3, 4, 5])).map(({ id }) => id).toSorted()).toEqual(["a", "other"]);
    await store.saveBegun([begun("a", 0), begun("other", 0, 10, 4)]);
    expect(await store.begun([3, 4])).toEqual([]);
  });

  scenario("keeps the partitions of a node that renewed its lease in time", async (store) => {
    await store.heartbeat("a", 1);
    await store.heartbeat("a", 60_000);
    expect(await store.acquire("b")).toEqual([]);
  });

  scenario("gives of the free partitions those that were asked for", async (store, grants) => {
    await store.release(
      "a",
      [3, 4, 5].map((partition) => fenceOf(grants, partition)),
    );
    await store.heartbeat("b", 60_000);
    expect((await store.acquire("b", [4, 9])).map((grant) => grant.partition)).toEqual([4]);
    await store.heartbeat("a", 0);
    expect((await store.acquire("b", [4, 9])).map((grant) => grant.partition)).toEqual([9]);
    expect(await store.acquire("b", [])).toEqual([]);
  });

  scenario("tells who lives, since when, and what they say of themselves", async (store) => {
    const info = { address: "http://b:1", owns: true, types: ["t"], leaseMs: 60_000 };
    await store.heartbeat("b", 60_000, { ...info, contracts: "first" });
    const [a, b] = await store.nodes();
    expect([a?.id, a?.info]).toEqual(["a", undefined]);
    expect([b?.id, b?.info]).toEqual(["b", info]);
    const left = b?.leaseLeftMs ?? 0;
    expect(left > 50_000 && left <= 60_000).toBe(true);
    expect(Math.abs((b?.since ?? 0) - Date.now()) < 30_000).toBe(true);
    expect(await store.contracts()).toEqual([{ node: "b", contracts: "first" }]);
    // What was said stays; what is said anew replaces it, but for contracts that are not mentioned.
    await store.heartbeat("b", 60_000);
    await store.heartbeat("b", 60_000, { ...info, owns: false, address: undefined });
    const again = (await store.nodes())[1];
    expect(again?.info).toEqual({ ...info, owns: false, address: undefined });
    expect(again?.since).toBe(b?.since);
    expect((await store.contracts())[0]?.contracts).toBe("first");
    await store.heartbeat("b", 0);
    expect((await store.nodes()).map((node) => node.id)).toEqual(["a"]);
    expect(await store.contracts()).toEqual([]);
  });
};
