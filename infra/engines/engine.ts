import type { ContainerRecord, ContainerSpec, ContainerStats, EngineCheck, LogLine } from "./container.ts";
import type { Identity } from "./identity.ts";

/**
 * Role: the port to what runs containers on one host. An adapter sees and touches what its own cluster has signed, and
 * nothing else. `infra/docker`, `infra/kubernetes` and `infra/processes` implement it; `testing/conformance.ts` is run by each.
 *
 * E1 Every call has a deadline and fails with an `EngineError`; one container's trouble fails no call about others.
 * E2 Every change is idempotent: what is there already, runs already or is gone already is an answer, not an error.
 * E3 Containers are changed by id: a name may be another's by now.
 */
export interface Engine {
  readonly driver: "docker" | "process" | "kubernetes";
  /** The checks it runs itself. All others are made from outside. */
  readonly checks: readonly EngineCheck["kind"][];
  /** The value of `troupe.cluster`. */
  readonly cluster: string;
  /** Resolves when the engine answers. */
  ping(): Promise<EngineInfo>;
  /** Our containers, running or not; of one service, or of all. One that cannot be asked is there as `stuck` (Engine.E1). */
  list(service?: string): Promise<readonly ContainerRecord[]>;
  /** One container by id or name; `undefined` when it is not there or not ours. */
  inspect(idOrName: string): Promise<ContainerRecord | undefined>;
  /**
   * Creates the container, or finds that a twin has done so.
   * @throws {EngineError} `conflict` when the name belongs to a container that is not ours; `not_found`: no such image.
   */
  create(spec: ContainerSpec): Promise<{ readonly id: string; readonly outcome: "created" | "exists" }>;
  /** Starts one of our containers. `not_found` when it is gone or not ours. */
  start(id: string): Promise<"started" | "running">;
  /** Asks the container to stop and kills it after `graceMs`. */
  stop(id: string, graceMs?: number): Promise<"stopped" | "gone">;
  /** Asks the container to stop, kills it after `graceMs`, and removes it. */
  remove(id: string, graceMs?: number): Promise<"removed" | "gone">;
  /** Puts limits, restart policy and name back to what they were created with. */
  mend(id: string, spec: ContainerSpec): Promise<void>;
  /** What happens to our containers, until `signal` is aborted; reopened whenever the engine ends the stream. */
  events(signal: AbortSignal): AsyncIterable<EngineEvent>;
  /** What a container writes, oldest first, from `since` (RFC 3339) on; with `follow` until it ends or `signal` is aborted. */
  logs(id: string, options: LogOptions): AsyncIterable<LogLine>;
  stats(id: string): Promise<ContainerStats>;
  /** What a reference stands for now; `undefined` when the engine does not have it. */
  image(reference: string): Promise<string | undefined>;
  /** Fetches an image from its registry. `progress` hears a short word now and then. */
  pull(reference: string, progress?: (word: string) => void): Promise<void>;
  /** Builds an image from a local directory. Nothing is pulled. */
  buildImage(build: ImageBuild): Promise<void>;
  /** Lets go of the engine. Its containers go on, but for those that are processes of this one. */
  close(): Promise<void>;
}

/** What the engine says about itself. */
export interface EngineInfo {
  readonly version: string;
  /** As in `amd64`, `arm64`. */
  readonly arch: string;
  /** The host's own name for itself, and an id that no other engine has. */
  readonly name: string;
  readonly id: string;
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** Which part of a log. */
export interface LogOptions {
  readonly since?: string;
  /** At most so many of the newest lines. */
  readonly tail?: number;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** An image to be built from local files. */
export interface ImageBuild {
  /** As in `troupe/echo:1`. */
  readonly tag: string;
  /** The build context. */
  readonly directory: string;
  /** The files of the context that are sent, `Dockerfile` among them. */
  readonly files: readonly string[];
}

/**
 * What the engine tells about our containers. `resync` comes first and after every gap: events may have been missed,
 * look at the world again. `lost`: the engine tells nothing now, it may have ended.
 */
export type EngineEvent =
  | { readonly kind: "resync" }
  | { readonly kind: "lost" }
  | {
      readonly kind: "container";
      /** As in `create`, `start`, `die`, `destroy`. */
      readonly action: string;
      readonly containerId: string;
      readonly identity: Identity;
    };
