import type { Identity, Marks } from "./identity.ts";

/** Everything about a container that a caller may choose. What is not in here cannot be asked for. */
export interface ContainerSpec extends Identity {
  /** The image as it was asked for. */
  readonly image: string;
  /** The image to run, as {@link Engine.image} gave it: a tag may have moved since. Default: what `image` stands for now. */
  readonly imageId?: string | null;
  /** Replaces the image's command; the image's own when empty. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly PortSpec[];
  readonly resources: Resources;
  readonly volumes?: readonly Mount[];
  /** Networks in which services of the cluster reach each other by name. None: the engine's default network. */
  readonly networks?: readonly string[];
  /** Secrets as files below {@link SECRETS_PATH}, which nobody but the container's user reads. */
  readonly files?: readonly SecretFile[];
  /** One of the kinds that the engine runs itself ({@link Engine.checks}). */
  readonly check?: EngineCheck | null;
  /** The fencing token of who creates it. Default 0. */
  readonly fence?: number;
}

/** Where a container finds its secret files. On a process host the folder is another one: `SECRETS_DIR` names it everywhere. */
export const SECRETS_PATH = "/run/secrets";

/** A secret as a file. */
export interface SecretFile {
  readonly name: string;
  readonly content: string;
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

/** Something of the machine at `path` in the container. */
export type Mount =
  | {
      readonly kind: "volume";
      /** The cluster's volume of this name: made when it is not there, and never removed. */
      readonly name: string;
      readonly path: string;
      readonly readOnly: boolean;
    }
  | { readonly kind: "bind"; readonly source: string; readonly path: string; readonly readOnly: boolean };

/** A check that an engine runs itself, at its own interval. */
export type EngineCheck = CheckTiming &
  (
    | {
        /** A command inside the container that ends with 0 while all is well. */
        readonly kind: "exec";
        readonly command: readonly string[];
      }
    | { readonly kind: "http"; readonly path: string; readonly port: number }
    | { readonly kind: "tcp"; readonly port: number }
  );

/** How often, how long, and from when on a check counts. */
export interface CheckTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
}

/** The states an engine reports. */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

/** One of our containers, as the engine sees it now. Plain JSON. */
export interface ContainerRecord extends Marks {
  readonly id: string;
  readonly name: string;
  /** The image it runs, by content. */
  readonly imageId: string;
  readonly state: ContainerState;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; `null` when it never started, or is about to. */
  readonly startedAt: string | null;
  /** RFC 3339, or `null` when it never ended. */
  readonly finishedAt: string | null;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Where its ports are reached from here. Default: this machine's loopback. */
  readonly address?: string;
  /** Published ports, in order of the container port. */
  readonly ports: readonly { readonly container: number; readonly host: number }[];
  /** What the engine's own check says; `null` where it has none. */
  readonly check: "starting" | "healthy" | "unhealthy" | null;
  /** What is not as it was created: `limits`, `restart_policy`, `name`, `ports`. */
  readonly differences: readonly Difference[];
  /** Why it neither runs nor ends, or the engine cannot be asked about it alone; the rest is what the list said. Or `null`. */
  readonly stuck: string | null;
  /** What it may take; `null`: that cannot be told. */
  readonly resources: Resources | null;
}

/** What somebody changed on a container by hand. */
export type Difference = "limits" | "restart_policy" | "name" | "ports";

/** One moment's use. */
export interface ContainerStats {
  /** Of one processor: 100 is one core. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly pids: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** A line that a container wrote. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, by the engine's clock. */
  readonly at: string;
  readonly stream: "stdout" | "stderr";
  readonly text: string;
}
