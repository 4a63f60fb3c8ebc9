import type { ContainerSpec, SecretFile } from "#infra/engines/container.ts";
import type { Engine } from "#infra/engines/engine.ts";
import type { HostRoom } from "#infra/engines/host-room.ts";
import type { Images } from "#infra/engines/images.ts";
import type { ServiceSpec } from "../service/messages.ts";

/** A host that is full is asked again after this: something may have gone. */
const FULL_AGAIN_MS = 5_000;

/** What making a container on one host needs. */
export interface Making {
  readonly engine: Engine;
  readonly images: Images;
  /** Keeps which image a revision runs here. */
  fixImage(imageId: string): Promise<void>;
  /** The value of a secret; `undefined`: there is none of this name. */
  secret(name: string): Promise<string | undefined>;
  /** Why a path of this machine may not be given to containers, or `undefined`. */
  bindObjection(source: string): Promise<string | undefined>;
  /** How much its containers may take together; without it any amount. */
  readonly room?: HostRoom | undefined;
  /** The token that containers carry. */
  readonly fence: number;
}

/** Whose container it is. */
export interface MadeSlot {
  readonly revision: string;
  readonly replica: number;
}

/** A container, or why there is none; `retryInMs`: that passes by itself. */
export type Made =
  | { readonly kind: "made"; readonly id: string }
  | { readonly kind: "not"; readonly code: string; readonly message: string; readonly retryInMs: number | null };

/**
 * Makes the container of a slot, which does not run yet: with the values of its secrets, from the image that its revision
 * runs here (`imageId`; `null`: what the tag stands for now).
 * @throws {EngineError} what the engine refuses.
 */
export async function make(
  making: Making,
  service: string,
  slot: MadeSlot,
  spec: ServiceSpec,
  imageId: string | null,
): Promise<Made> {
  const not = (code: string, message: string, retryInMs: number | null = null): Made => ({
    kind: "not",
    code,
    message,
    retryInMs,
  });
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(spec.env)) {
    const text = typeof value === "string" ? value : await making.secret(value.secret);
    if (text === undefined)
      return not("secret_missing", `there is no secret ${(value as { secret: string }).secret} for ${name}`);
    env[name] = text;
  }
  const files: SecretFile[] = [];
  for (const name of spec.secrets ?? []) {
    const content = await making.secret(name);
    if (content === undefined) return not("secret_missing", `there is no secret ${name} for its file`);
    files.push({ name, content });
  }
  for (const mount of spec.volumes) {
    const objection = mount.kind === "bind" ? await making.bindObjection(mount.source) : undefined;
    if (objection) return not("bind_refused", objection);
  }
  let image = imageId;
  if (image === null || !(await making.engine.image(image))) {
    const state = await making.images.state(spec.image);
    if (state.kind === "busy") return not("image_coming", state.word, 1_000);
    if (state.kind === "failed") return not("image_missing", state.message);
    image = state.id;
    await making.fixImage(image);
  }
  const wanted = { ...containerOf(making, service, slot, spec, env, image), files };
  const create = async (): Promise<Made> => ({ kind: "made", id: (await making.engine.create(wanted)).id });
  if (making.room === undefined) return await create();
  return await making.room.within(spec.resources, create, (why) => not("host_full", why, FULL_AGAIN_MS));
}

/** What an engine is asked for. */
export function containerOf(
  { engine, fence }: Pick<Making, "engine" | "fence">,
  service: string,
  { revision, replica }: MadeSlot,
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
