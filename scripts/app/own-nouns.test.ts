import { expect, test } from "bun:test";
import { silentLog } from "#runtime";
import { createGateway } from "./gateway.ts";
import { nounsOf, OWN_NOUNS } from "./own-nouns.ts";
import { readSettings } from "./settings.ts";
import { actorTypes } from "./system.ts";

test("the reserved nouns are those of every actor of the app that emits events", async () => {
  const settings = readSettings({});
  const gateway = createGateway(settings, () => settings, silentLog);
  const actors = actorTypes(settings, gateway);
  expect([...OWN_NOUNS].sort()).toEqual([...nounsOf(actors)].sort());
  gateway.stop();
});
