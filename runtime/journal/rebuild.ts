import type { AnyActorType } from "../actor/any-actor.ts";
import { RefusedError, TroupeError } from "../message/errors.ts";
import type { ActorId, JournalRecord, LoadedActor } from "../ports/store.ts";
import { Fold } from "./fold.ts";

/** What a rebuild found. */
export interface Rebuilt {
  /** Events in the journal. */
  readonly events: number;
  /** Whether the state, in memory or in the snapshot, was not what the journal makes of it, and was replaced. */
  readonly replaced: boolean;
}

const PAGE = 1_000;
const TRIES = 200;
const PAUSE_MS = 10;

/** What the rebuild of a journaled actor needs from its node. */
export interface JournalHost {
  readJournal(actor: ActorId, after: number, limit: number): Promise<readonly JournalRecord[]>;
  /** The state row as it is stored. */
  readSnapshot(actor: ActorId): Promise<LoadedActor>;
  wait(ms: number): Promise<void>;
}

/** The journal of the turn that rebuilds, and the state it has made of it so far. */
interface JournalInRebuild {
  readonly type: AnyActorType;
  readonly actor: ActorId;
  readonly host: JournalHost;
  /** The number of the actor's last event. */
  readonly version: number;
  readonly state: unknown;
  /** What the handler sees as `c.state`. */
  readonly view: unknown;
  replace(state: unknown): void;
}

/** The turn that rebuilds. */
export interface TurnInRebuild {
  readonly exists: boolean;
  draft: unknown;
  destroyed: boolean;
}

/**
 * Recomputes the state of the actor from its whole journal, in a turn of its own: nothing else of the actor runs
 * meanwhile, and a state that is replaced is written under the fence like any other.
 *
 * @throws {RefusedError} `journal_incomplete`: the actor lived before its type was journaled.
 * @throws {TroupeError} `unavailable`: the last events are not in the store after two seconds.
 */
export async function rebuildState(journal: JournalInRebuild, turn: TurnInRebuild): Promise<Rebuilt> {
  const { type, actor, host } = journal;
  const stored = await host.readSnapshot(actor);
  const fold = new Fold(type, actor.key, undefined, 0);
  let snapshotFits = stored.state === undefined;
  for (let tries = 0; fold.seq < journal.version;) {
    const rows = await host.readJournal(actor, fold.seq, PAGE);
    for (const row of rows) {
      if (row.seq !== fold.seq + 1) {
        // It lived before its type was journaled: what came before the first row is nowhere.
        throw new RefusedError("journal_incomplete", { expected: fold.seq + 1, found: row.seq });
      }
      fold.add(row, row.at);
      if (row.seq === stored.version) snapshotFits = sameJson(stored.state, fold.state);
    }
    if (rows.length > 0) continue;
    // Turns before this one may still be on their way to the store.
    if (++tries > TRIES) {
      throw new TroupeError(
        "unavailable",
        `Cannot rebuild ${actor.type}/${actor.key} as its journal ends at ${fold.seq}`,
      );
    }
    await host.wait(PAUSE_MS);
  }
  const state = turn.exists ? JSON.stringify(journal.state) : undefined;
  const replaced = !snapshotFits || !sameJson(state, fold.state);
  if (replaced) {
    journal.replace(fold.state);
    turn.draft = journal.view;
    turn.destroyed = fold.state === undefined;
  }
  return { events: fold.seq, replaced };
}

/** Whether `text`, parsed, is `value` as JSON would keep it; members in any order. `undefined` equals only itself. */
function sameJson(text: string | undefined, value: unknown): boolean {
  const kept = value === undefined ? undefined : JSON.stringify(value);
  if (text === undefined || kept === undefined) return text === kept;
  return text === kept || same(JSON.parse(text), JSON.parse(kept));
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && same(Reflect.get(a, name), Reflect.get(b, name)));
}
