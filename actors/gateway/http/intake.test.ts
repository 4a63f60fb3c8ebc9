import { expect, test } from "bun:test";
import { createInbox, Inbox, inboxOf } from "#actors/gateway/inbox/inbox.ts";
import type { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { openOtel } from "#infra/otel/otel.ts";
import { TraceStore } from "#infra/otel/trace-store.ts";
import { createTroupe, memory } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { takeEvent } from "./intake.ts";

const event: GatewayEvent = { id: "1", source: "/demo", type: "demo.made", data: { n: 1 }, extensions: {} };

test("an event whose inbox is on another node is accepted at first and a duplicate from then on, also when its trace is recorded", async () => {
  const network = localNetwork();
  const traces = new TraceStore();
  const tracing = openOtel({ processors: [traces], sampling: () => true });
  const inbox = createInbox({ routes: () => [], check: () => undefined, retriesMs: [] });
  const shared = { actors: [inbox], stores: { default: memory() }, tracing, leaseMs: 60_000 };
  await using owner = await createTroupe({ ...shared, transport: network.transport(), nodeId: "owner" });
  await using edge = await createTroupe({ ...shared, transport: network.transport(), owns: false });
  expect(owner.nodeId).toBe("owner");
  await edge.ref(Inbox, inboxOf(event)).accept({ event: { ...event, id: "before" } });
  expect(await takeEvent(edge, event, tracing.root())).toEqual({ id: "1", status: "accepted" });
  expect(await takeEvent(edge, event, tracing.root())).toEqual({ id: "1", status: "duplicate" });
});
