import type { ContainerInfo, ContainerInspectInfo } from "dockerode";
import type { ContainerRecord, ContainerState, Difference } from "../engines/container.ts";
import { containerName, type Signer } from "../engines/identity.ts";

/** Reads what the engine says about a container; `undefined` when it is not ours. */
export function recordOf(signer: Signer, info: ContainerInspectInfo): ContainerRecord | undefined {
  const marks = signer.read(info.Config.Labels);
  if (!marks) return undefined;
  const name = info.Name.replace(/^\//, "");
  const state = info.State.Status as ContainerState;
  const health = info.State.Health?.Status;
  return {
    ...marks,
    id: info.Id,
    name,
    imageId: info.Image,
    state,
    createdAt: info.Created,
    startedAt: time(info.State.StartedAt),
    finishedAt: time(info.State.FinishedAt),
    exitCode: info.State.ExitCode,
    oomKilled: info.State.OOMKilled,
    ports: publishedPorts(info),
    check: health === "starting" || health === "healthy" || health === "unhealthy" ? health : null,
    differences: differencesOf(info, name === containerName(marks)),
    stuck: null,
    resources: {
      memoryBytes: info.HostConfig.Memory ?? 0,
      cpus: (info.HostConfig.NanoCpus ?? 0) / 1e9,
      pids: info.HostConfig.PidsLimit ?? 0,
    },
  };
}

/** The same of a container that cannot be asked: what the list said about it. */
export function stuckRecordOf(signer: Signer, item: ContainerInfo, reason: string): ContainerRecord | undefined {
  const marks = signer.read(item.Labels);
  if (!marks) return undefined;
  return {
    ...marks,
    id: item.Id,
    name: (item.Names[0] ?? "").replace(/^\//, ""),
    imageId: item.ImageID,
    state: item.State as ContainerState,
    createdAt: new Date(item.Created * 1_000).toISOString(),
    startedAt: null,
    finishedAt: null,
    exitCode: 0,
    oomKilled: false,
    ports: item.Ports.flatMap((port) =>
      port.PublicPort ? [{ container: port.PrivatePort, host: port.PublicPort }] : [],
    ).sort((a, b) => a.container - b.container),
    check: null,
    differences: [],
    stuck: reason,
    resources: null,
  };
}

/** What was asked for when it was made stands in its own labels and its port bindings; the rest can be changed by hand. */
function differencesOf(info: ContainerInspectInfo, named: boolean): Difference[] {
  const differences: Difference[] = [];
  const { RestartPolicy, PortBindings, Memory, NanoCpus, PidsLimit } = info.HostConfig;
  if (!named) differences.push("name");
  if (RestartPolicy?.Name && RestartPolicy.Name !== "no") differences.push("restart_policy");
  const asked = info.Config.Labels["troupe.limits"];
  if (asked !== undefined && asked !== `${Memory}/${NanoCpus}/${PidsLimit}`) differences.push("limits");
  const bound = Object.keys((PortBindings ?? {}) as object);
  const published = (info.NetworkSettings.Ports ?? {}) as Record<string, unknown[] | null>;
  if (info.State.Status === "running" && bound.some((key) => !published[key]?.length)) differences.push("ports");
  return differences;
}

/** The engine writes year 1 where it means never. */
function time(text: string): string | null {
  return text.startsWith("0001-") || text === "" ? null : text;
}

function publishedPorts(info: ContainerInspectInfo): ContainerRecord["ports"] {
  const bindings = Object.entries(info.NetworkSettings.Ports ?? {});
  return bindings
    .flatMap(([key, hosts]) => {
      const host = Number(hosts?.[0]?.HostPort);
      return host > 0 ? [{ container: Number.parseInt(key, 10), host }] : [];
    })
    .sort((a, b) => a.container - b.container);
}
