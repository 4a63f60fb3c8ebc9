import type { ContainerCreateOptions } from "dockerode";
import { type ContainerSpec, type EngineCheck, type Mount, SECRETS_PATH } from "../engines/container.ts";
import { containerName } from "../engines/identity.ts";

/** Published ports are reachable from this machine only. */
export const PUBLISH_ADDRESS = "127.0.0.1";
/** The user and group of every container: nobody's, with no rights on the machine. */
export const UNPRIVILEGED_USER = 65_532;

/** What a container may take, in the engine's words. Also what {@link differencesOf} compares with. */
export function limitsOf(spec: Pick<ContainerSpec, "resources">) {
  const { memoryBytes, cpus, pids } = spec.resources;
  return { Memory: memoryBytes, MemorySwap: memoryBytes, NanoCpus: Math.round(cpus * 1e9), PidsLimit: pids };
}

/**
 * The engine's create request for a container: no capabilities, no new privileges, a read-only root file system with
 * a small `/tmp`, an unprivileged user, limits on memory, processors and processes, ports on loopback, bounded logs.
 * The engine never restarts it by itself: the reconciler does, with its own pauses.
 */
export function createOptions(spec: ContainerSpec, labels: Record<string, string>): ContainerCreateOptions {
  const ports = spec.ports.map((port) => [`${port.container}/tcp`, port] as const);
  const { cluster, service, check, files = [] } = spec;
  const [network] = spec.networks ?? [];
  return {
    name: containerName(spec),
    Image: spec.imageId ?? spec.image,
    Labels: labels,
    User: `${UNPRIVILEGED_USER}:${UNPRIVILEGED_USER}`,
    ...(spec.command.length > 0 ? { Cmd: [...spec.command] } : {}),
    Env: Object.entries(files.length > 0 ? { SECRETS_DIR: SECRETS_PATH, ...spec.env } : spec.env).map(
      ([name, value]) => `${name}=${value}`,
    ),
    ExposedPorts: Object.fromEntries(ports.map(([key]) => [key, {}])),
    Healthcheck: check?.kind === "exec" ? healthcheckOf(check) : { Test: ["NONE"] },
    HostConfig: {
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Privileged: false,
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,size=16m" },
      ...limitsOf(spec),
      PortBindings: Object.fromEntries(
        ports.map(([key, port]) => [
          key,
          [{ HostIp: PUBLISH_ADDRESS, HostPort: port.host === null ? "" : String(port.host) }],
        ]),
      ),
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "5m", "max-file": "2" } },
      Mounts: [
        ...(spec.volumes ?? []).map((mount) => mountOf(cluster, mount)),
        // Without a name it goes when the container goes.
        ...(files.length > 0 ? [{ Type: "volume" as const, Source: "", Target: SECRETS_PATH }] : []),
      ],
      ...(network === undefined ? {} : { NetworkMode: networkName(cluster, network) }),
    },
    ...(network === undefined
      ? {}
      : { NetworkingConfig: { EndpointsConfig: { [networkName(cluster, network)]: { Aliases: [service] } } } }),
  };
}

/** What the engine calls a network of the cluster. */
export function networkName(cluster: string, name: string): string {
  return `troupe-${cluster}-${name}`;
}

/** What the engine calls a volume of the cluster. */
export function volumeName(cluster: string, name: string): string {
  return `troupe-${cluster}-${name}`;
}

function mountOf(cluster: string, mount: Mount) {
  if (mount.kind === "bind")
    return {
      Type: "bind" as const,
      Source: mount.source,
      Target: mount.path,
      ReadOnly: mount.readOnly,
      BindOptions: { Propagation: "rprivate" as const },
    };
  return {
    Type: "volume" as const,
    Source: volumeName(cluster, mount.name),
    Target: mount.path,
    ReadOnly: mount.readOnly,
  };
}

function healthcheckOf(check: Extract<EngineCheck, { kind: "exec" }>) {
  return {
    Test: ["CMD", ...check.command],
    Interval: check.intervalMs * 1e6,
    Timeout: check.timeoutMs * 1e6,
    Retries: check.retries,
    StartPeriod: check.startPeriodMs * 1e6,
  };
}
