import { EngineError } from "#infra/engines/errors.ts";
import type { ServiceSpec } from "../service/messages.ts";
import { containerOf, type Making, make } from "./make.ts";
import type { Acted, Action, Failed } from "./messages.ts";

/** What acting on one host needs. */
export interface Hands extends Omit<Making, "fixImage"> {
  readonly host: string;
  /** What the containers of a revision are made of, and which image it runs here; `null`: no such revision. */
  revision(revision: string): Promise<{ readonly spec: ServiceSpec; readonly imageId: string | null } | null>;
  /** Keeps which image a revision runs here. */
  fixImage(revision: string, imageId: string): Promise<void>;
  /** Whether the token these actions were planned with is still the last one. */
  holds(): Promise<boolean>;
  readonly graceMs: number;
}

type Ending = Extract<Action, { kind: "remove" | "stop" }>;
type Starting = Extract<Action, { kind: "create" | "start" | "restart" }>;
type Outcome = Partial<{ failed: Failed; kept: Acted["kept"][number]; unavailable: string; fenced: true }>;

/**
 * Carries out actions on one host: what ends first, all at once; then what is mended; then what starts, all at once. It
 * never throws for what the engine does. Before each step it looks whether it may still act.
 */
export async function act(hands: Hands, service: string, actions: readonly Action[]): Promise<Acted> {
  const ends = actions.filter((action): action is Ending => action.kind === "remove" || action.kind === "stop");
  const mends = actions.filter((action) => action.kind === "mend");
  const starts = actions.filter(
    (action): action is Starting => action.kind === "create" || action.kind === "start" || action.kind === "restart",
  );
  const outcomes: Outcome[] = [];
  for (const step of [ends, mends, starts])
    outcomes.push(...(await Promise.all(step.map((action) => attempt(hands, service, action)))));
  return {
    failed: outcomes.flatMap(({ failed }) => failed ?? []),
    kept: outcomes.flatMap(({ kept }) => kept ?? []),
    unavailable: outcomes.find(({ unavailable }) => unavailable !== undefined)?.unavailable ?? null,
    fenced: outcomes.some(({ fenced }) => fenced),
  };
}

async function attempt(hands: Hands, service: string, action: Action): Promise<Outcome> {
  if (!(await hands.holds())) return { fenced: true };
  const { revision, replica } = action;
  try {
    switch (action.kind) {
      case "remove":
        await hands.engine.remove(action.containerId, hands.graceMs);
        return {};
      case "stop":
        await hands.engine.stop(action.containerId, hands.graceMs);
        return {};
      case "mend": {
        const made = await hands.revision(revision);
        if (made) await hands.engine.mend(action.containerId, containerOf(hands, service, action, made.spec, {}, null));
        return {};
      }
      case "create":
        return await create(hands, service, action);
      case "start":
        await start(hands, service, action.containerId, revision);
        return {};
      case "restart":
        await hands.engine.stop(action.containerId, hands.graceMs);
        await start(hands, service, action.containerId, revision);
        return {};
      default:
        return {};
    }
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (error.code === "unavailable") return { unavailable: error.message };
    if (action.kind === "remove" || action.kind === "stop")
      return { kept: { containerId: action.containerId, why: error.message } };
    if (action.kind === "mend") return {};
    return { failed: { revision, replica, error: { code: error.code, message: error.message }, retryInMs: null } };
  }
}

async function create(hands: Hands, service: string, action: Extract<Action, { kind: "create" }>): Promise<Outcome> {
  const { revision, replica } = action;
  const known = await hands.revision(revision);
  if (!known) return {};
  const making = { ...hands, fixImage: (imageId: string) => hands.fixImage(revision, imageId) };
  const made = await make(making, service, action, known.spec, known.imageId);
  if (made.kind === "not") {
    const { code, message, retryInMs } = made;
    return { failed: { revision, replica, error: { code, message }, retryInMs } };
  }
  if (action.start) await start(hands, service, made.id, revision);
  return {};
}

/**
 * Starts a container. Where the port it pins was given to one of ours that did not ask for it (an engine that was started
 * anew gives dynamic ports out again), that one makes way: it is stopped, and started again with another port.
 */
async function start(hands: Hands, service: string, id: string, revision: string): Promise<void> {
  try {
    await hands.engine.start(id);
  } catch (error) {
    const pinned = ((await hands.revision(revision))?.spec.ports ?? []).flatMap((port) => port.host ?? []);
    if (!(error instanceof EngineError) || error.code !== "port_taken" || pinned.length === 0) throw error;
    const holder = (await hands.engine.list()).find(
      (one) =>
        one.id !== id &&
        one.state === "running" &&
        !(one.service === service && one.revision === revision) &&
        one.ports.some((port) => pinned.includes(port.host)),
    );
    if (!holder || holder.service === service) throw error;
    await hands.engine.stop(holder.id, hands.graceMs);
    try {
      await hands.engine.start(id);
    } finally {
      await hands.engine.start(holder.id);
    }
  }
}
