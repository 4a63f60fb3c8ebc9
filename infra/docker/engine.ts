import { clientFor } from "./client.ts";
import { createOptions } from "./container-options.ts";
import type { ContainerSpec } from "./container-options.ts";
import { recordOf } from "./container-record.ts";
import type { ContainerRecord } from "./container-record.ts";
import { withDeadline } from "./deadline.ts";
import { EngineError } from "./errors.ts";
import { followEvents } from "./events.ts";
import type { EngineEvent } from "./events.ts";
import { buildImage, hasImage } from "./image.ts";
import type { ImageBuild } from "./image.ts";
import { containerName, LABELS } from "./labels.ts";

/**
 * Role: the only way to the Docker engine. It sees and touches containers of its own cluster, and nothing else.
 *
 * Every call has a deadline and fails with an `EngineError`. Every change is idempotent: what is there already, runs
 * already or is gone already is an answer, not an error.
 */
export interface Engine {
  /** The value of `troupe.cluster`. */
  readonly cluster: string;
  /** Resolves when the engine answers. */
  ping(): Promise<EngineInfo>;
  /** Our containers, running or not; of one service, or of all. */
  list(service?: string): Promise<readonly ContainerRecord[]>;
  /** One container by id or name; `undefined` when it is not there or not ours. */
  inspect(idOrName: string): Promise<ContainerRecord | undefined>;
  /**
   * Creates the container, or finds that a twin has done so.
   * @throws {EngineError} `conflict` when the name belongs to a container that is not ours; `not_found`: no such image.
   */
  create(spec: ContainerSpec): Promise<"created" | "exists">;
  /** Starts one of our containers. `not_found` when it is gone or not ours. */
  start(idOrName: string): Promise<"started" | "running">;
  /** Asks the container to stop, kills it after `graceMs`, and removes it. */
  remove(idOrName: string, graceMs?: number): Promise<"removed" | "gone">;
  /** What happens to our containers, until `signal` is aborted; reopened whenever the engine ends the stream. */
  events(signal: AbortSignal): AsyncIterable<EngineEvent>;
  hasImage(reference: string): Promise<boolean>;
  /** Builds an image from a local directory. Nothing is pulled. */
  buildImage(build: ImageBuild): Promise<void>;
}

/** What the engine says about itself. */
export interface EngineInfo {
  readonly version: string;
  /** As in `amd64`, `arm64`. */
  readonly arch: string;
}

/** What {@link connectEngine} is given. */
export interface EngineOptions {
  /** As `DOCKER_HOST`: `unix:///…` or `tcp://host:port`. Default: the environment's, else the usual socket. */
  readonly host?: string | undefined;
  /** Whose containers these are. Default `default`. */
  readonly cluster?: string;
  /** The deadline of an ordinary call. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

const DEFAULT_GRACE_MS = 5_000;
const INSPECTIONS_AT_ONCE = 16;
const HOLDER_WITHIN_MS = 3_000;

/** A handle on an engine. Opens nothing: an engine that is not there shows at the first call. */
export function connectEngine(options: EngineOptions = {}): Engine {
  const docker = clientFor(options.host);
  const cluster = options.cluster ?? "default";
  const timeoutMs = options.timeoutMs ?? 10_000;
  const filters = (service?: string): { label: string[] } => ({
    label: [`${LABELS.cluster}=${cluster}`, ...(service === undefined ? [] : [`${LABELS.service}=${service}`])],
  });

  /** What a name or id stands for; `foreign` is all that is said about containers that are not ours. */
  async function look(idOrName: string): Promise<ContainerRecord | "foreign" | "absent"> {
    try {
      const info = await withDeadline(`inspect ${idOrName}`, timeoutMs, (abortSignal) =>
        docker.getContainer(idOrName).inspect({ abortSignal }),
      );
      return recordOf(cluster, info) ?? "foreign";
    } catch (error) {
      if (error instanceof EngineError && error.code === "not_found") return "absent";
      throw error;
    }
  }

  async function inspect(idOrName: string): Promise<ContainerRecord | undefined> {
    const found = await look(idOrName);
    return typeof found === "string" ? undefined : found;
  }

  /** Who has the name that could not be given. The engine keeps it while the container is being made, or unmade. */
  async function holderOf(name: string): Promise<ContainerRecord | "foreign" | "absent"> {
    const until = performance.now() + HOLDER_WITHIN_MS;
    let holder = await look(name);
    while (holder === "absent" && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      holder = await look(name);
    }
    return holder;
  }

  return {
    cluster,
    inspect,
    async ping() {
      const version = await withDeadline("reach the engine", Math.min(timeoutMs, 3_000), () => docker.version());
      return { version: version.Version, arch: version.Arch };
    },
    async list(service) {
      const found = await withDeadline("list containers", timeoutMs, (abortSignal) =>
        docker.listContainers({ all: true, filters: filters(service), abortSignal }),
      );
      const records: ContainerRecord[] = [];
      for (let from = 0; from < found.length; from += INSPECTIONS_AT_ONCE) {
        const batch = await Promise.all(found.slice(from, from + INSPECTIONS_AT_ONCE).map((item) => inspect(item.Id)));
        records.push(...batch.filter((record) => record !== undefined));
      }
      return records.sort((a, b) => a.name.localeCompare(b.name));
    },
    async create(spec) {
      const name = containerName(spec);
      try {
        const request = createOptions({ ...spec, cluster });
        await withDeadline(`create ${name}`, timeoutMs, (abortSignal) =>
          docker.createContainer({ ...request, abortSignal }),
        );
        return "created";
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== "conflict") throw error;
        const holder = await holderOf(name);
        if (holder === "absent")
          throw new EngineError("failed", `Cannot create ${name} as the engine still keeps the name`, { cause: error });
        if (holder !== "foreign") return "exists";
        throw new EngineError("conflict", `Cannot create ${name} as the name belongs to a container that is not ours`, {
          cause: error,
        });
      }
    },
    async start(idOrName) {
      const record = await inspect(idOrName);
      if (!record) throw new EngineError("not_found", `Cannot start ${idOrName} as it is not there or not ours`);
      if (record.state === "running") return "running";
      try {
        await withDeadline(`start ${record.name}`, timeoutMs, (abortSignal) =>
          docker.getContainer(record.id).start({ abortSignal }),
        );
        return "started";
      } catch (error) {
        if (error instanceof EngineError && error.code === "already") return "running";
        throw error;
      }
    },
    async remove(idOrName, graceMs = DEFAULT_GRACE_MS) {
      const record = await inspect(idOrName);
      if (!record) return "gone";
      const container = docker.getContainer(record.id);
      if (record.state === "running" || record.state === "restarting") {
        await withDeadline(`stop ${record.name}`, graceMs + timeoutMs, (abortSignal) =>
          container.stop({ t: Math.ceil(graceMs / 1_000), abortSignal }),
        ).catch(ignore("not_found", "already"));
      }
      // Force: it may have come back to life, be paused, or be a twin's half-finished removal.
      await withDeadline(`remove ${record.name}`, timeoutMs, (abortSignal) =>
        container.remove({ force: true, v: true, abortSignal }),
      ).catch(ignore("not_found", "conflict"));
      return "removed";
    },
    events: (signal) =>
      followEvents({
        cluster,
        signal,
        open: async (since, abortSignal) =>
          await withDeadline("follow events", timeoutMs, () =>
            docker.getEvents({
              filters: { ...filters(), type: ["container"] },
              ...(since === undefined ? {} : { since }),
              abortSignal,
            }),
          ),
      }),
    hasImage: (reference) => hasImage(docker, reference, timeoutMs),
    buildImage: (build) => buildImage(docker, build),
  };
}

function ignore(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof EngineError) || !codes.includes(error.code)) throw error;
  };
}
