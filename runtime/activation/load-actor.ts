import type { AnyActorType } from "../actor/any-actor.ts";
import { readState } from "../actor/read-state.ts";
import type { Loaded } from "../journal/load.ts";
import { TroupeError } from "../message/errors.ts";
import type { ActorId, LoadedActor } from "../ports/store.ts";
import { type ActorReader, unreadable } from "./actor-reader.ts";
import type { LifeHooks } from "./life-hooks.ts";

/** What came of bringing an actor into memory. */
export type BroughtUp =
  | { readonly kind: "ready"; readonly actor: LoadedActor; readonly text: string | undefined }
  /** The store did not answer: the next message may find it well. */
  | { readonly kind: "unreachable"; readonly error: TroupeError }
  /** It was read, but cannot be used: trying again at once would not help. */
  | { readonly kind: "unusable"; readonly error: TroupeError };

/**
 * Loads an actor, brings its state to the newest schema version, and runs its `onActivate`, unless it is not `wanted` any
 * more by then. Never rejects.
 */
export async function bringUp(
  type: AnyActorType,
  id: ActorId,
  reader: ActorReader,
  hooks: LifeHooks,
  wanted: () => boolean,
): Promise<BroughtUp> {
  const address = `${id.type}/${id.key}`;
  let actor: Loaded;
  try {
    actor = await reader.load(id);
  } catch (cause) {
    const error = new TroupeError("unavailable", `Cannot load ${address} from its store`, { cause });
    return { kind: "unreachable", error };
  }
  if (actor.failure !== undefined) return { kind: "unusable", error: unreadable(id, actor.failure) };
  try {
    const text = actor.state === undefined ? undefined : readText(type, id.key, actor.state, actor.schemaVersion);
    const activating = wanted() ? hooks.activate(text) : undefined;
    if (activating !== undefined) await activating;
    return { kind: "ready", actor, text };
  } catch (cause) {
    if (cause instanceof TroupeError) return { kind: "unusable", error: cause };
    const error = new TroupeError("unavailable", `Cannot read the state of ${address}`, { cause });
    return { kind: "unusable", error };
  }
}

/** A state as stored, migrated; then the next turn writes it, whatever it does. */
function readText(type: AnyActorType, key: string, stored: string, found: number): string {
  const text = readState(type, key, stored, found);
  // With a space before it, it is the same state, but not the text that any turn ends with.
  return text === stored ? text : ` ${text}`;
}
