import { expect, test } from "bun:test";
import { createTroupe, memory, memoryTopics, type TopicItem } from "#runtime";
import { Route } from "./route.ts";

const config = { match: { type: "demo.*" }, to: [{ sink: "kafka", topic: "demo" }], enabled: true } as const;

test("a route is put, changed and removed, and each change is told to every node", async () => {
  const topics = memoryTopics();
  await using troupe = await createTroupe({ actors: [Route], stores: { default: memory() }, topics });
  const following = await topics.subscribe(["gateway"]);
  const route = troupe.ref(Route, "demo");
  expect(await route.put({ ...config, to: [...config.to] })).toEqual({ created: true });
  expect(await route.put({ ...config, to: [...config.to], enabled: false })).toEqual({ created: false });
  expect(await route.get()).toMatchObject({ enabled: false });
  await route.remove();
  expect(await route.get()).toBeNull();
  expect(route.remove()).rejects.toMatchObject({ reason: "unknown_route" });
  for (let i = 0; i < 3; i++) {
    const item = (await following.next()).value as TopicItem;
    expect(item).toMatchObject({ type: "route.changed", data: { name: "demo" } });
  }
});
