import type { ContainerInspectInfo } from "dockerode";
import { identityOf } from "./labels.ts";
import type { Identity } from "./labels.ts";

/** The states the engine reports. */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** One of our containers, as the engine sees it now. Plain JSON. */
export interface ContainerRecord extends Identity {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  /** RFC 3339, or `null` when it never started. */
  readonly startedAt: string | null;
  /** RFC 3339, or `null` when it never ended. */
  readonly finishedAt: string | null;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Published ports, in order of the container port. */
  readonly ports: readonly { readonly container: number; readonly host: number }[];
}

/** Reads what the engine says about a container; `undefined` when it is not one of `cluster`. */
export function recordOf(cluster: string, info: ContainerInspectInfo): ContainerRecord | undefined {
  const identity = identityOf(cluster, info.Config.Labels);
  if (!identity) return undefined;
  return {
    ...identity,
    id: info.Id,
    name: info.Name.replace(/^\//, ""),
    image: info.Config.Image,
    state: info.State.Status as ContainerState,
    startedAt: time(info.State.StartedAt),
    finishedAt: time(info.State.FinishedAt),
    exitCode: info.State.ExitCode,
    oomKilled: info.State.OOMKilled,
    ports: publishedPorts(info),
  };
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
