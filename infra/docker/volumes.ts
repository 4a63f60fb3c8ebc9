import type Docker from "dockerode";
import type { ContainerSpec } from "../engines/container.ts";
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

/** A tar archive of one directory, `.`, that belongs to the containers' user. */
function directoryArchive(): Buffer {
  const header = Buffer.alloc(512);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;
  header.write("./", 0);
  header.write(octal(0o755, 8), 100);
  header.write(octal(UNPRIVILEGED_USER, 8), 108);
  header.write(octal(UNPRIVILEGED_USER, 8), 116);
  header.write(octal(0, 12), 124);
  header.write(octal(Math.floor(Date.now() / 1_000), 12), 136);
  header.write("        5", 148);
  header.write("ustar\0", 257);
  header.write("00", 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, Buffer.alloc(1_024)]);
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
