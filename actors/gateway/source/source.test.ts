import { expect, test } from "bun:test";
import { createTroupe, memory } from "#runtime";
import { Source } from "./source.ts";

test("a source shows everything but its secrets", async () => {
  await using troupe = await createTroupe({ actors: [Source], stores: { default: memory() } });
  const source = troupe.ref(Source, "github");
  expect(await source.get()).toBeNull();
  expect(await source.put({ scheme: "github", secrets: ["a secret", "an older one"] })).toEqual({ created: true });
  expect(await source.get()).toEqual({
    name: "github",
    scheme: "github",
    typePrefix: "github.",
    secretCount: 2,
    url: "/events/github",
  });
  await source.remove();
  expect(source.remove()).rejects.toMatchObject({ reason: "unknown_source" });
});
