import { expect, test } from "bun:test";
import { scalerActor } from "#actors/orchestrator/scaler/scaler.ts";
import { silentLog } from "#runtime";
import { openConnections } from "./connections.ts";
import { createGateway } from "./gateway.ts";
import { nounsOf, OWN_NOUNS } from "./own-nouns.ts";
import { readSettings } from "./settings.ts";
import { actorTypes } from "./system.ts";

test("the reserved nouns are those of every actor of the app that emits events", async () => {
  const settings = readSettings({});
  const connections = openConnections(settings, silentLog);
  const gateway = createGateway(settings, () => settings, silentLog);
  const actors = actorTypes(settings, scalerActor({ engine: connections.engine }), gateway);
  expect([...OWN_NOUNS].sort()).toEqual([...nounsOf(actors)].sort());
  gateway.stop();
  await connections.close();
});
