import { safeParse } from "valibot";
import { StateUnreadableError } from "../message/errors.ts";
import type { AnyActorType } from "./any-actor.ts";

/**
 * A stored state as this code knows it: brought to the newest schema version by the migrations of its type, step by
 * step, and checked against the state's schema. A state of the newest version is given back as it is.
 *
 * @param found the schema version it was written with.
 * @throws {StateUnreadableError} when a step is missing or fails, what came out does not fit, or newer code wrote it.
 */
export function readState(type: AnyActorType, key: string, text: string, found = 1): string {
  const known = type.options.version ?? 1;
  if (found === known) return text;
  const unreadable = (problem: StateUnreadableError["problem"], cause?: unknown): StateUnreadableError =>
    new StateUnreadableError(`${type.type}/${key}`, found, known, problem, { cause });
  if (found > known) throw unreadable("newer");
  let state: unknown = JSON.parse(text);
  for (let from = found; from < known; from++) {
    const step = type.options.migrate?.[from];
    if (step === undefined) throw unreadable("no_step");
    try {
      state = step(state as Record<string, unknown>);
    } catch (cause) {
      throw unreadable("step_failed", cause);
    }
  }
  const result = safeParse(type.options.state, state);
  if (!result.success) throw unreadable("misfit", result.issues);
  return JSON.stringify(result.output);
}
