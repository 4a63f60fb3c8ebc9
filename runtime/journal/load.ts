import type { AnyActorType } from "../actor/any-actor.ts";
import type { ActorId, LoadedActor, Store } from "../ports/store.ts";
import { Fold } from "./fold.ts";

const PAGE = 1_000;

/** An actor as it was loaded; `failure` says why it cannot be used, where its journal cannot be applied. */
export interface Loaded extends LoadedActor {
  readonly failure?: Error;
}

/**
 * Loads actors; those of journaled types with the events after their snapshot applied. One that cannot be replayed fails
 * alone: the others of the batch come as they are (G8).
 */
export async function loadActors(
  store: Store,
  typeOf: (name: string) => AnyActorType | undefined,
  actors: readonly ActorId[],
): Promise<readonly Loaded[]> {
  const loaded = await store.load(actors);
  const journaled = actors.flatMap((actor, i) => {
    const type = typeOf(actor.type);
    const { state, version, schemaVersion } = loaded[i] as LoadedActor;
    if (type?.options.journal === undefined) return [];
    // Fold.J6: what another version of the code has made of the events is of no use.
    const fits = state === undefined || schemaVersion === (type.options.version ?? 1);
    const entry: Replaying = {
      i,
      actor,
      fold: new Fold(type, actor.key, undefined, 0),
      schemaVersion: type.options.version ?? 1,
      changed: !fits,
      failure: undefined,
    };
    if (fits) attempt(entry, () => (entry.fold = new Fold(type, actor.key, parsed(state), version)));
    return [entry];
  });
  if (journaled.length === 0) return loaded;
  for (let reading = journaled.filter(({ failure }) => failure === undefined); reading.length > 0;) {
    const rows = await store.readJournal(
      reading.map(({ actor, fold }) => ({ ...actor, after: fold.seq })),
      PAGE,
    );
    const counts = new Map<Replaying, number>();
    const byAddress = new Map(reading.map((entry) => [`${entry.actor.type}/${entry.actor.key}`, entry]));
    for (const row of rows) {
      const entry = byAddress.get(`${row.type}/${row.key}`);
      if (entry === undefined) continue;
      if (entry.failure !== undefined) continue;
      attempt(entry, () => entry.fold.add(row, row.at));
      entry.changed = true;
      counts.set(entry, (counts.get(entry) ?? 0) + 1);
    }
    reading = reading.filter((entry) => entry.failure === undefined && (counts.get(entry) ?? 0) >= PAGE);
  }
  const result: Loaded[] = [...loaded];
  for (const { i, fold, schemaVersion, changed, failure } of journaled) {
    if (failure !== undefined) {
      result[i] = { ...(loaded[i] as LoadedActor), failure };
      continue;
    }
    if (!changed) continue;
    const state = fold.state === undefined ? undefined : JSON.stringify(fold.state);
    result[i] = { ...(loaded[i] as LoadedActor), version: fold.seq, state, schemaVersion };
  }
  return result;
}

interface Replaying {
  readonly i: number;
  readonly actor: ActorId;
  readonly schemaVersion: number;
  fold: Fold;
  changed: boolean;
  failure: Error | undefined;
}

/** What `apply` throws, or a snapshot that is no JSON, is the affair of its own actor. */
function attempt(entry: Replaying, step: () => void): void {
  try {
    step();
  } catch (error) {
    entry.failure = error instanceof Error ? error : new Error(String(error));
  }
}

function parsed(state: string | undefined): unknown {
  return state === undefined ? undefined : (JSON.parse(state) as unknown);
}
