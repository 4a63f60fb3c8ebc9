import type Docker from "dockerode";
import { type ContainerSpec, type SecretFile, SECRETS_PATH } from "../engines/container.ts";
import { EngineError, toEngineError } from "../engines/errors.ts";
import { LABELS } from "../engines/identity.ts";
import { networkName, UNPRIVILEGED_USER, volumeName } from "./container-options.ts";

/** Makes the networks and volumes that a container needs and that are not there. Returns the volumes that are new. */
export async function ensureSurroundings(docker: Docker, spec: ContainerSpec): Promise<readonly string[]> {
  const labels = { [LABELS.cluster]: spec.cluster };
  for (const network of spec.networks ?? []) {
    const name = networkName(spec.cluster, network);
    if (await isThere(() => docker.getNetwork(name).inspect())) continue;
    await docker
      .createNetwork({ Name: name, CheckDuplicate: true, Driver: "bridge", Labels: labels })
      .catch(unless(409));
  }
  const fresh: string[] = [];
  for (const mount of spec.volumes ?? []) {
    if (mount.kind !== "volume") continue;
    const name = volumeName(spec.cluster, mount.name);
    if (await isThere(() => docker.getVolume(name).inspect())) continue;
    await docker.createVolume({ Name: name, Labels: labels });
    fresh.push(mount.path);
  }
  return fresh;
}

/** Attaches a created container to its networks beyond the first. */
export async function joinNetworks(docker: Docker, id: string, spec: ContainerSpec): Promise<void> {
  for (const network of (spec.networks ?? []).slice(1)) {
    await docker
      .getNetwork(networkName(spec.cluster, network))
      .connect({ Container: id, EndpointConfig: { Aliases: [spec.service] } })
      .catch(unless(403, 409));
  }
}

/** Gives the top of new volumes to the user that containers run as: an engine makes them root's. */
export async function ownVolumes(docker: Docker, id: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await docker.getContainer(id).putArchive(directoryArchive(), { path });
}

/** Puts secrets where only the container's user reads them. */
export async function putSecretFiles(docker: Docker, id: string, files: readonly SecretFile[]): Promise<void> {
  if (files.length === 0) return;
  const entries = [
    tarEntry({ name: "./", mode: 0o500 }),
    ...files.map(({ name, content }) => tarEntry({ name: `./${name}`, mode: 0o400, content })),
  ];
  await docker.getContainer(id).putArchive(Buffer.concat([...entries, TAR_END]), { path: SECRETS_PATH });
}

/** A tar archive of one directory, `.`, that belongs to the containers' user. */
function directoryArchive(): Buffer {
  return Buffer.concat([tarEntry({ name: "./", mode: 0o755 }), TAR_END]);
}

const TAR_BLOCK = 512;
const TAR_END = Buffer.alloc(2 * TAR_BLOCK);

/** A directory, or with `content` a file, of the containers' user. */
function tarEntry(entry: { readonly name: string; readonly mode: number; readonly content?: string }): Buffer {
  const content = Buffer.from(entry.content ?? "");
  const header = Buffer.alloc(TAR_BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  header.write(entry.name, 0, 100);
  header.write(octal(entry.mode, 8), 100);
  header.write(octal(UNPRIVILEGED_USER, 8), 108);
  header.write(octal(UNPRIVILEGED_USER, 8), 116);
  header.write(octal(content.length, 12), 124);
  header.write(octal(Math.floor(Date.now() / 1_000), 12), 136);
  header.write(`        ${entry.content === undefined ? "5" : "0"}`, 148);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((TAR_BLOCK - (content.length % TAR_BLOCK)) % TAR_BLOCK)]);
}

async function isThere(look: () => Promise<unknown>): Promise<boolean> {
  try {
    await look();
    return true;
  } catch (error) {
    const known = toEngineError("look", error);
    if (known.code === "not_found") return false;
    throw known;
  }
}

function unless(...statuses: readonly number[]): (error: unknown) => void {
  return (error) => {
    if (error instanceof EngineError || !statuses.includes((error as { statusCode?: number }).statusCode ?? 0))
      throw error;
  };
}
