import type { AnyActorType } from "../actor/any-actor.ts";
import type { ActorId, LoadedActor, Store } from "../ports/store.ts";
import { Fold } from "./fold.ts";

const PAGE = 1_000;

/** Loads actors; those of journaled types with the events after their snapshot applied. */
export async function loadActors(
  store: Store,
  typeOf: (name: string) => AnyActorType | undefined,
  actors: readonly ActorId[],
): Promise<readonly LoadedActor[]> {
  const loaded = await store.load(actors);
  const journaled = actors.flatMap((actor, i) => {
    const type = typeOf(actor.type);
    const { state, version, schemaVersion } = loaded[i] as LoadedActor;
    if (type?.options.journal === undefined) return [];
    // J6: what another version of the code has made of the events is of no use.
    const fits = state === undefined || schemaVersion === (type.options.version ?? 1);
    const fold = fits ? new Fold(type, actor.key, parsed(state), version) : new Fold(type, actor.key, undefined, 0);
    return [{ i, actor, fold, schemaVersion: type.options.version ?? 1, changed: !fits }];
  });
  if (journaled.length === 0) return loaded;
  for (let reading = journaled; reading.length > 0;) {
    const rows = await store.readJournal(
      reading.map(({ actor, fold }) => ({ ...actor, after: fold.seq })),
      PAGE,
    );
    const counts = new Map<(typeof journaled)[number], number>();
    const byAddress = new Map(reading.map((entry) => [`${entry.actor.type}/${entry.actor.key}`, entry]));
    for (const row of rows) {
      const entry = byAddress.get(`${row.type}/${row.key}`);
      if (entry === undefined) continue;
      entry.fold.add(row, row.at);
      entry.changed = true;
      counts.set(entry, (counts.get(entry) ?? 0) + 1);
    }
    reading = reading.filter((entry) => (counts.get(entry) ?? 0) >= PAGE);
  }
  const result = [...loaded];
  for (const { i, fold, schemaVersion, changed } of journaled) {
    if (!changed) continue;
    const state = fold.state === undefined ? undefined : JSON.stringify(fold.state);
    result[i] = { ...(loaded[i] as LoadedActor), version: fold.seq, state, schemaVersion };
  }
  return result;
}

function parsed(state: string | undefined): unknown {
  return state === undefined ? undefined : (JSON.parse(state) as unknown);
}
