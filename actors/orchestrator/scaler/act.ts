import type { ContainerSpec } from "#infra/engines/container.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { EngineError } from "#infra/engines/errors.ts";
import type { Images } from "#infra/engines/images.ts";
import type { ServiceSpec } from "../service/messages.ts";
import type { Acted, Action, Failed } from "./messages.ts";

/** What acting on one host needs. */
export interface Hands {
  readonly host: string;
  readonly engine: Engine;
  readonly images: Images;
  /** What the containers of a revision are made of, and which image it runs here; `null`: no such revision. */
  revision(revision: string): Promise<{ readonly spec: ServiceSpec; readonly imageId: string | null } | null>;
  /** Keeps which image a revision runs here. */
  fixImage(revision: string, imageId: string): Promise<void>;
  /** The value of a secret; `undefined`: there is none of this name. */
  secret(name: string): Promise<string | undefined>;
  /** Why a path of this machine may not be given to containers, or `undefined`. */
  bindObjection(source: string): Promise<string | undefined>;
  /** Whether the token these actions were planned with is still the last one. */
  holds(): Promise<boolean>;
  readonly graceMs: number;
  readonly fence: number;
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
  const failed = (code: string, message: string, retryInMs: number | null = null): Outcome => ({
    failed: { revision, replica, error: { code, message }, retryInMs },
  });
  const made = await hands.revision(revision);
  if (!made) return {};
  const { spec } = made;
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.env)) {
    const text = typeof value === "string" ? value : await hands.secret(value.secret);
    if (text === undefined)
      return failed("secret_missing", `there is no secret ${(value as { secret: string }).secret} for ${name}`);
    env[name] = text;
  }
  for (const mount of spec.volumes) {
    const objection = mount.kind === "bind" ? await hands.bindObjection(mount.source) : undefined;
    if (objection) return failed("bind_refused", objection);
  }
  let { imageId } = made;
  if (imageId === null || !(await hands.engine.image(imageId))) {
    const state = await hands.images.state(spec.image);
    if (state.kind === "busy") return failed("image_coming", state.word, 1_000);
    if (state.kind === "failed") return failed("image_missing", state.message);
    imageId = state.id;
    await hands.fixImage(revision, imageId);
  }
  const { id } = await hands.engine.create(containerOf(hands, service, action, spec, env, imageId));
  if (action.start) await start(hands, service, id, revision);
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

function containerOf(
  { engine, fence }: Hands,
  service: string,
  { revision, replica }: { revision: string; replica: number },
  spec: ServiceSpec,
  env: Record<string, string>,
  imageId: string | null,
): ContainerSpec {
  const { image, command, ports, resources, volumes, networks, health } = spec;
  const check = health && engine.checks.includes(health.kind) ? health : null;
  return {
    cluster: engine.cluster,
    service,
    revision,
    replica,
    fence,
    image,
    imageId,
    command,
    env,
    ports,
    resources,
    volumes,
    networks,
    check,
  };
}
