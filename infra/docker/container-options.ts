import type { ContainerCreateOptions } from "dockerode";
import { containerName, labelsOf } from "./labels.ts";
import type { Identity } from "./labels.ts";

/** Everything about a container that a caller may choose. What is not in here cannot be asked for. */
export interface ContainerSpec extends Identity {
  readonly image: string;
  /** Replaces the image's command; the image's own when empty. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  readonly resources: Resources;
}

/** A TCP port of the container. `host` pins the port on the machine; `null` lets the engine choose. */
export interface PortSpec {
  readonly container: number;
  readonly host: number | null;
}

/** Limits of one container. */
export interface Resources {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
}

/** Published ports are reachable from this machine only. */
export const PUBLISH_ADDRESS = "127.0.0.1";
/** The user and group of every container: nobody's, with no rights on the machine. */
const UNPRIVILEGED_USER = "65532:65532";

/**
 * The engine's create request for a container: no capabilities, no new privileges, a read-only root file system with
 * a small `/tmp`, an unprivileged user, limits on memory, processors and processes, ports on loopback, bounded logs.
 * The engine never restarts it by itself: the reconciler does, with its own pauses.
 */
export function createOptions(spec: ContainerSpec): ContainerCreateOptions {
  const ports = spec.ports.map((port) => [`${port.container}/tcp`, port] as const);
  return {
    name: containerName(spec),
    Image: spec.image,
    Labels: labelsOf(spec),
    User: UNPRIVILEGED_USER,
    ...(spec.command.length > 0 ? { Cmd: [...spec.command] } : {}),
    Env: Object.entries(spec.env).map(([name, value]) => `${name}=${value}`),
    ExposedPorts: Object.fromEntries(ports.map(([key]) => [key, {}])),
    HostConfig: {
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      Privileged: false,
      ReadonlyRootfs: true,
      Tmpfs: { "/tmp": "rw,noexec,nosuid,nodev,size=16m" },
      Memory: spec.resources.memoryBytes,
      MemorySwap: spec.resources.memoryBytes,
      NanoCpus: Math.round(spec.resources.cpus * 1e9),
      PidsLimit: spec.resources.pids,
      PortBindings: Object.fromEntries(
        ports.map(([key, port]) => [
          key,
          [{ HostIp: PUBLISH_ADDRESS, HostPort: port.host === null ? "" : String(port.host) }],
        ]),
      ),
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "5m", "max-file": "2" } },
    },
  };
}
