import { expect, test } from "bun:test";
import { createTroupe, memory, memoryTopics, type TopicItem } from "#runtime";
import { DEFAULT_UPDATE } from "../scaler/messages.ts";
import { Service } from "./service.ts";

const spec = {
  image: "troupe/echo:1",
  command: ["serve"],
  env: {},
  ports: [],
  resources: { memoryBytes: 64, cpus: 1, pids: 10 },
  volumes: [],
  networks: [],
  health: null,
};
const policies = { update: DEFAULT_UPDATE, scale: null, dependsOn: [], stop: { graceMs: 5_000 } };

test("a service tells `services` and its own topic of each change of its desired state and its status, and of nothing else", async () => {
  const topics = memoryTopics();
  await using troupe = await createTroupe({ actors: [Service], stores: { default: memory() }, topics });
  const following = await topics.subscribe(["services", "services/web"]);
  const web = troupe.ref(Service, "web");
  const report = (generation: number, status: "converged" | "degraded" | "progressing"): Promise<unknown> =>
    web.report({ generation, status, conditions: [], observed: [] });
  const configured = await web.configure({ ...policies, spec, replicas: 2, configRevision: 1 });
  await web.configure({ ...policies, spec, replicas: 2, configRevision: 1 });
  await report(configured.generation, "progressing");
  await report(configured.generation, "converged");
  await report(configured.generation, "converged");
  await report(0, "degraded");
  const { generation } = await web.remove({ configRevision: 2 });
  await report(generation, "converged");

  const told: unknown[] = [];
  for (let i = 0; i < 8; i++) {
    const item = (await following.next()).value as TopicItem;
    if (item.kind === "message") told.push([item.topic, item.type, item.data]);
  }
  const change = (data: object): unknown[] =>
    ["services/web", "services"].map((topic) => [topic, "service.changed", { name: "web", ...data }]);
  const first = { replicas: 2, generation: configured.generation, removed: false };
  expect(told).toEqual([
    ...change({ status: "progressing", ...first }),
    ...change({ status: "converged", ...first }),
    ...change({ status: "progressing", replicas: 0, generation, removed: true }),
    ...change({ status: "converged", replicas: 0, generation, removed: true }),
  ]);
});
