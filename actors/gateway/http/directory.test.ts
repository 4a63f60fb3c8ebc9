import { expect, test } from "bun:test";
import type { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { createSource, Source } from "#actors/gateway/source/source.ts";
import { SchemaValidator } from "#infra/schemas/validator.ts";
import { plainBox, type SecretBox, secretBox } from "#infra/secrets/secret-box.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { createTroupe, memory, memoryTopics, silentLog } from "#runtime";
import { Directory } from "./directory.ts";
import { misfitOf } from "./intake.ts";

const route = (topic: string) => ({
  match: { type: "demo.*" },
  to: [{ sink: "kafka" as const, topic }],
  enabled: true,
});

async function gateway(secrets: SecretBox = plainBox, sealing: SecretBox = secrets) {
  const topics = memoryTopics();
  const troupe = await createTroupe({
    actors: [Route, EventSchema, createSource(sealing)],
    stores: { default: memory() },
    topics,
  });
  const validator = new SchemaValidator({ withinMs: 2_000 });
  const directory = new Directory(troupe, validator, secrets, silentLog);
  return {
    troupe,
    directory,
    async [Symbol.asyncDispose](): Promise<void> {
      directory[Symbol.dispose]();
      validator[Symbol.dispose]();
      await troupe.stop();
    },
  };
}

test("Directory.routes() waits for the first look, and hears of each change", async () => {
  await using g = await gateway();
  expect(await g.directory.routes()).toEqual([]);
  await g.troupe.ref(Route, "demo").put(route("one"));
  // Well before the next look that would find it anyway.
  await eventually("the route is known", 2_000, async () => (await g.directory.routes()).length === 1);
  await g.troupe.ref(Route, "demo").put(route("two"));
  await g.directory.refresh();
  expect(await g.directory.routes()).toEqual([{ name: "demo", ...route("two") }]);
  await g.troupe.ref(Route, "demo").remove();
  await eventually("it is gone", 2_000, async () => (await g.directory.routes()).length === 0);
});

test("Directory.refresh() knows what was committed before it was called, also while a look is under way", async () => {
  await using g = await gateway();
  const early = g.directory.refresh();
  await g.troupe.ref(Source, "github").put({ scheme: "github", secrets: ["12345678"] });
  await g.directory.refresh();
  expect(await g.directory.source("github")).toMatchObject({ scheme: "github" });
  await early;
});

test("misfitOf() tells the place that does not fit, lets types without a schema pass, and nothing that cannot be checked", async () => {
  await using g = await gateway();
  const event: GatewayEvent = { id: "1", source: "/demo", type: "demo.made", data: { n: "1" }, extensions: {} };
  expect(await misfitOf(g.directory, event)).toBeUndefined();
  const schema = { type: "object", properties: { n: { type: "integer" } } };
  await g.troupe.ref(EventSchema, "demo.made").put({ schema, force: false });
  await g.directory.refresh();
  expect(await misfitOf(g.directory, event)).toMatchObject([{ path: "/data/n" }]);
  expect(await misfitOf(g.directory, { ...event, data: { n: 1 } })).toBeUndefined();
  expect(await misfitOf(g.directory, { ...event, data_base64: "AA==" })).toMatchObject([{ path: "/data_base64" }]);
  // A schema that was stored in spite of what the routes check cannot be compiled: nothing passes it unseen.
  await g.troupe.ref(EventSchema, "demo.made").put({ schema: { typ: "object" }, force: true });
  await g.directory.refresh();
  expect(await misfitOf(g.directory, { ...event, data: { n: 1 } })).toBe("unavailable");
});

test("Directory.source() opens what the source has sealed, and says where none of it opens", async () => {
  const [box, other] = [1, 2].map((byte) => secretBox([new Uint8Array(32).fill(byte)])) as [SecretBox, SecretBox];
  const config = { scheme: "github", secrets: ["a secret", "an older one"] } as const;
  await using g = await gateway(box);
  await g.troupe.ref(Source, "github").put({ ...config, secrets: [...config.secrets] });
  await g.directory.refresh();
  expect(await g.directory.source("github")).toMatchObject(config);
  expect(JSON.stringify(await g.troupe.list(Source))).not.toContain("a secret");
  await using lost = await gateway(other, box);
  await lost.troupe.ref(Source, "github").put({ ...config, secrets: [...config.secrets] });
  await lost.directory.refresh();
  expect(await lost.directory.source("github")).toBe("unreadable");
  expect(await lost.directory.source("gitlab")).toBeUndefined();
});
