import type { AnyActorType } from "../../actor/any-actor.ts";
import type { ActorSummary } from "../../indexing/where.ts";
import type { World } from "./world.ts";

const LOOK_EVERY_MS = 25;

/** Waits until nothing is left to do, at most `limitMs`, and ends the history with what the store holds then. */
export async function rest(world: World, limitMs: number): Promise<void> {
  const limit = world.time.now + limitMs;
  let waiting = await leftToDo(world);
  while (waiting.length > 0 && world.time.now < limit) {
    await world.time.sleep(LOOK_EVERY_MS);
    waiting = await leftToDo(world);
  }
  const actors = new Map<string, { readonly type: string; readonly key: string }>();
  for (const entry of world.history) {
    if (entry.kind !== "commit") continue;
    for (const { actor } of entry.states) {
      const slash = actor.indexOf("/");
      actors.set(actor, { type: actor.slice(0, slash), key: actor.slice(slash + 1) });
    }
  }
  const loaded = await world.store.load([...actors.values()]);
  [...actors.keys()].forEach((actor, i) => {
    const { version = 0, state = null } = loaded[i] ?? {};
    world.note({ kind: "stored", actor, version, state });
  });
  world.note({ kind: "end", now: world.now(), waiting });
}

async function leftToDo(world: World): Promise<string[]> {
  const left: string[] = [];
  let owned = 0;
  for (const life of world.lives) {
    if (!life.up) left.push(`${life.id} is not up`);
    if (life.committing > 0) left.push(`${life.committing} commits of ${life.id} are not answered`);
    for (const store of life.troupe?.status().stores ?? []) owned += store.ownedPartitions;
    for (const sink of life.troupe?.status().sinks ?? []) {
      if (sink.pending > 0) left.push(`${sink.pending} records wait for ${sink.name} on ${life.id}`);
    }
  }
  const { partitions } = world.store;
  if (owned !== partitions) left.push(`${owned} of ${partitions} partitions are held`);
  if (world.underWay > 0) left.push(`${world.underWay} commits are under way`);
  const [overdue] = await world.store.timers([...Array(partitions).keys()], world.now(), 1);
  if (overdue !== undefined) left.push(`the timer ${overdue.name} of ${overdue.type}/${overdue.key} is due`);
  return left;
}

/** The committed actors of each type, by key. */
export async function storedActors(
  world: World,
  types: readonly AnyActorType[],
): Promise<ReadonlyMap<string, readonly ActorSummary<unknown>[]>> {
  const stored = new Map<string, readonly ActorSummary<unknown>[]>();
  for (const { type } of types) {
    const rows = await world.store.list(type, { limit: 10_000, after: undefined });
    stored.set(
      type,
      rows.map(({ key, state, version }) => ({ key, version, state: JSON.parse(state) as unknown })),
    );
  }
  return stored;
}
