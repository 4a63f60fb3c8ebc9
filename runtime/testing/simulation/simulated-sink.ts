import type { PublishResult, Sink } from "../../ports/sink.ts";
import type { OutboxKind, OutboxRecord } from "../../ports/store.ts";
import { never, type NodeLife } from "./node-life.ts";
import { recordEntry } from "./record-entry.ts";
import type { Surroundings } from "./surroundings.ts";

/** A broker that keeps what it gets in the history, reached by one node. The same name has the same lane on every node. */
export function simulatedSink(world: Surroundings, life: NodeLife, name: string, accepts: OutboxKind): Sink {
  const keyed = (world.seed + name.length) % 2 === 0;
  return {
    name,
    accepts,
    lane: keyed ? { kind: "keyed", maxInFlight: 3 } : { kind: "batch", maxBatch: 4 },
    publish: (records) => publish(world, life, name, records),
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function publish(
  world: Surroundings,
  life: NodeLife,
  name: string,
  records: readonly OutboxRecord[],
): Promise<readonly PublishResult[]> {
  if (!life.alive) return never();
  const { plan, random, time } = world;
  return new Promise((resolve, reject) => {
    time.after(0.05 + random.fraction(), () => {
      if ((world.sinksDown.get(name) ?? 0) > time.now) {
        life.after(1, () => reject(new Error("the sink is down")));
        return;
      }
      // It may take a part of a batch and fail: then it gets all of it again.
      const fails = plan.strikes("sink-repeat");
      const taken = fails ? records.slice(0, random.between(0, records.length)) : records;
      for (const record of taken) {
        world.note({ kind: "published", sink: name, node: life.id, record: recordEntry(record) });
      }
      const actors = (): string[] => taken.map(({ actor }) => `${actor.type}/${actor.key}`);
      if (world.crashesAt("after-publish", life, actors)) return;
      const backMs = plan.strikes("sink-slow") ? random.fraction() * 400 : 0.05 + random.fraction();
      life.after(backMs, () => {
        if (fails) reject(new Error("the sink failed"));
        else resolve(records.map(() => ({ kind: "acked" })));
      });
    });
  });
}
