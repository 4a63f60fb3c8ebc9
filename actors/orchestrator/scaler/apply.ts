import { ECHO_IMAGE, ensureEchoImage } from "#infra/docker/echo-image.ts";
import type { Engine } from "#infra/docker/engine.ts";
import { EngineError } from "#infra/docker/errors.ts";
import { containerName } from "#infra/docker/labels.ts";
import { afterFailedStart, FRESH_SLOT } from "./backoff.ts";
import type { Action, ApplyActions, Slot, Slots } from "./messages.ts";
import { slotKey } from "./messages.ts";

/** What one action came to. */
export type Outcome =
  | { readonly kind: "started"; readonly action: Action; readonly containerId: string; readonly slot: Slot }
  | { readonly kind: "already"; readonly action: Action }
  | { readonly kind: "removed"; readonly action: Extract<Action, { kind: "remove" }> }
  | { readonly kind: "failed"; readonly action: Action; readonly slot: Slot }
  | { readonly kind: "unavailable"; readonly action: Action; readonly reason: string };

/** What {@link applyActions} is given. */
export interface ApplyInput extends ApplyActions {
  readonly service: string;
  readonly slots: Slots;
  readonly nowMs: number;
}

/**
 * Carries out actions: removals first, all at once; then creations and starts, all at once. Never throws for what the
 * engine does: each action has an outcome. A slot that a concurrent twin has filled is `already`.
 */
export async function applyActions(engine: Engine, input: ApplyInput): Promise<readonly Outcome[]> {
  const removals = input.actions.filter((action) => action.kind === "remove");
  const removed = await Promise.all(removals.map((action) => attempt(engine, input, action)));
  const starts = input.actions.filter((action) => action.kind === "create" || action.kind === "start");
  const started = await Promise.all(starts.map((action) => attempt(engine, input, action)));
  return [...removed, ...started];
}

type Doable = Exclude<Action, { kind: "record-death" }>;

async function attempt(engine: Engine, input: ApplyInput, action: Doable): Promise<Outcome> {
  try {
    return action.kind === "remove" ? await remove(engine, action) : await start(engine, input, action);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === "unavailable" || error.code === "timeout")
      return { kind: "unavailable", action, reason: error.message };
    return { kind: "failed", action, slot: afterFailure(engine, input, action, error) };
  }
}

async function remove(engine: Engine, action: Extract<Action, { kind: "remove" }>): Promise<Outcome> {
  const result = await engine.remove(action.containerId);
  return result === "removed" ? { kind: "removed", action } : { kind: "already", action };
}

async function start(
  engine: Engine,
  input: ApplyInput,
  action: Extract<Action, { kind: "create" | "start" }>,
): Promise<Outcome> {
  const identity = {
    cluster: engine.cluster,
    service: input.service,
    revision: input.revision,
    replica: action.replica,
  };
  const name = containerName(identity);
  if (action.kind === "create") {
    if (input.spec === null) return { kind: "already", action };
    await engine.create({ ...identity, ...input.spec });
  }
  if ((await engine.start(name)) === "running") return { kind: "already", action };
  const slot = input.slots[slotKey(input.revision, action.replica)] ?? FRESH_SLOT;
  const restarts = slot.restarts + (action.kind === "start" && action.restart ? 1 : 0);
  const containerId = action.kind === "start" ? action.containerId : ((await engine.inspect(name))?.id ?? name);
  return { kind: "started", action, containerId, slot: { ...slot, restarts, error: null } };
}

function afterFailure(engine: Engine, input: ApplyInput, action: Doable, error: EngineError): Slot {
  const slot = input.slots[slotKey(input.revision, action.replica)] ?? FRESH_SLOT;
  if (error.code === "not_found" && input.spec?.image === ECHO_IMAGE && action.kind === "create") {
    // The one image that can be made here. The build goes on in the background; the slot tries again each second.
    void ensureEchoImage(engine).catch(() => undefined);
    return { ...slot, retryAt: input.nowMs + 1_000, error: `the image ${ECHO_IMAGE} is being built` };
  }
  return afterFailedStart(slot, error.message, input.nowMs);
}
