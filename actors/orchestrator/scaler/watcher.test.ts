import { expect, test } from "bun:test";
import type { Engine, EngineEvent } from "#infra/engines/engine.ts";
import { startWatcher } from "./watcher.ts";

const event = (service: string, action: string): EngineEvent => ({
  kind: "container",
  action,
  containerId: "c1",
  identity: { cluster: "dev", service, revision: "r", replica: 0 },
});

/** An engine that tells a few events, then waits for its end. */
function telling(...events: EngineEvent[]): Pick<Engine, "events" | "list"> {
  return {
    list: async () => [],
    async *events(signal) {
      yield* events;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

async function wakesOf(
  engine: Pick<Engine, "events" | "list">,
  wake: (service: string) => Promise<void> = async () => undefined,
): Promise<string[]> {
  const woken: string[] = [];
  const settled = Promise.withResolvers<void>();
  const watcher = startWatcher({
    engine,
    services: async () => ["known"],
    wake: async (service) => {
      woken.push(service);
      setTimeout(settled.resolve, 20);
      await wake(service);
    },
  });
  await settled.promise;
  await watcher.stop();
  return woken;
}

test("startWatcher() wakes the service of a container that died, and only for what may change a plan", async () => {
  expect(await wakesOf(telling(event("web", "create"), event("web", "exec_start"), event("web", "die")))).toEqual([
    "web",
  ]);
});

test("startWatcher() coalesces the events of one service into the wake-up under way and one more", async () => {
  const many = Array.from({ length: 50 }, () => event("web", "die"));
  expect(await wakesOf(telling(...many), () => Bun.sleep(5))).toEqual(["web", "web"]);
});

test("startWatcher() wakes every known service after a gap in the events", async () => {
  expect(await wakesOf(telling({ kind: "resync" }))).toEqual(["known"]);
});

test("startWatcher() goes on when a wake-up fails", async () => {
  const woken = await wakesOf(telling(event("a", "die"), event("b", "die")), async () => {
    throw new Error("Temporal is away");
  });
  expect(woken).toEqual(["a", "b"]);
});
