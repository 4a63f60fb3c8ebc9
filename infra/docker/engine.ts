import type Docker from "dockerode";
import type { ClientTls } from "../base/tls.ts";
import type { ContainerRecord } from "../engines/container.ts";
import { withDeadline } from "../engines/deadline.ts";
import type { Engine } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";
import { containerName, LABELS, Signer } from "../engines/identity.ts";
import { clientFor } from "./client.ts";
import { createOptions, limitsOf } from "./container-options.ts";
import { recordOf, stuckRecordOf } from "./container-record.ts";
import { followEvents } from "./events.ts";
import { buildImage, imageId, pullImage, type RegistryLogins } from "./image.ts";
import { readLogs } from "./logs.ts";
import { statsOf } from "./stats.ts";
import { ensureSurroundings, joinNetworks, ownVolumes, putSecretFiles } from "./volumes.ts";

/** What {@link connectEngine} is given. */
export interface EngineOptions {
  /** As `DOCKER_HOST`: `unix:///…`, `tcp://host:port` or `ssh://user@host`. Default: the environment's, else the usual socket. */
  readonly host?: string | undefined;
  /** For an engine that speaks TLS: whom we trust, and who we are. */
  readonly tls?: ClientTls;
  /** Whose containers these are. Default `default`. */
  readonly cluster?: string;
  /** Sign our containers, the first, and know them, each: every process of the cluster has the same. Default: one that anybody could guess. */
  readonly signingKeys?: readonly string[];
  /** How to log in to a registry. Default: not at all. */
  readonly logins?: RegistryLogins;
  /** The deadline of an ordinary call. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** How long one container may take to tell about itself, before it counts as stuck. Default 2,000 ms. */
  readonly inspectWithinMs?: number;
}

const DEFAULT_GRACE_MS = 5_000;
const INSPECTIONS_AT_ONCE = 16;
const HOLDER_WITHIN_MS = 3_000;
/** A container that was found stuck is not asked again for so long: it would make every look slow. */
const STUCK_FOR_MS = 10_000;

/** A handle on a Docker engine. Opens nothing: an engine that is not there shows at the first call. */
export function connectEngine(options: EngineOptions = {}): Engine {
  const docker = clientFor(options.host, options.tls);
  const cluster = options.cluster ?? "default";
  const signer = new Signer(cluster, options.signingKeys);
  const { timeoutMs = 10_000, inspectWithinMs = 2_000, logins = () => undefined } = options;
  const stuckUntil = new Map<string, { readonly until: number; readonly reason: string }>();
  const filters = (service?: string): { label: string[] } => ({
    label: [`${LABELS.cluster}=${cluster}`, ...(service === undefined ? [] : [`${LABELS.service}=${service}`])],
  });

  const summaries = (filter: Record<string, string[]>): Promise<Docker.ContainerInfo[]> =>
    withDeadline("list containers", timeoutMs, (abortSignal) =>
      docker.listContainers({ all: true, filters: filter, abortSignal }),
    );

  /** What a listed container says about itself; stuck where it does not answer. `undefined`: gone, or not ours. */
  async function detail(item: Docker.ContainerInfo): Promise<ContainerRecord | undefined> {
    const known = stuckUntil.get(item.Id);
    if (known && known.until > Date.now()) return stuckRecordOf(signer, item, known.reason);
    stuckUntil.delete(item.Id);
    try {
      const info = await withDeadline(`inspect ${item.Id.slice(0, 12)}`, inspectWithinMs, (abortSignal) =>
        docker.getContainer(item.Id).inspect({ abortSignal }),
      );
      return recordOf(signer, info);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      if (error.code === "not_found") return undefined;
      if (error.code === "unavailable") throw error;
      stuckUntil.set(item.Id, { until: Date.now() + STUCK_FOR_MS, reason: error.message });
      return stuckRecordOf(signer, item, error.message);
    }
  }

  async function list(service?: string): Promise<readonly ContainerRecord[]> {
    const found = (await summaries(filters(service))).filter((item) => signer.read(item.Labels) !== undefined);
    const records: ContainerRecord[] = [];
    for (let from = 0; from < found.length; from += INSPECTIONS_AT_ONCE) {
      const batch = await Promise.all(found.slice(from, from + INSPECTIONS_AT_ONCE).map(detail));
      records.push(...batch.filter((record) => record !== undefined));
    }
    if (stuckUntil.size > 0) {
      for (const [id, { until }] of stuckUntil) if (until < Date.now()) stuckUntil.delete(id);
    }
    return withoutCopies(records).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** Whether a container is ours, and what the list says of it: the list answers even where the container does not. */
  async function find(id: string): Promise<Docker.ContainerInfo | undefined> {
    const found = await summaries({ ...filters(), id: [id] });
    return found.find((item) => signer.read(item.Labels) !== undefined);
  }

  /** What a name or id stands for; `foreign` is all that is said about containers that are not ours. */
  async function look(idOrName: string): Promise<ContainerRecord | "foreign" | "absent"> {
    try {
      const info = await withDeadline(`inspect ${idOrName}`, timeoutMs, (abortSignal) =>
        docker.getContainer(idOrName).inspect({ abortSignal }),
      );
      return recordOf(signer, info) ?? "foreign";
    } catch (error) {
      if (error instanceof EngineError && error.code === "not_found") return "absent";
      throw error;
    }
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
    driver: "docker",
    checks: ["exec"],
    cluster,
    list,
    async inspect(idOrName) {
      const found = await look(idOrName);
      return typeof found === "string" ? undefined : found;
    },
    async ping() {
      const within = Math.min(timeoutMs, 3_000);
      const [version, info] = await Promise.all([
        withDeadline("reach the engine", within, () => docker.version()),
        withDeadline("reach the engine", within, () => docker.info() as Promise<SystemInfo>),
      ]);
      return {
        version: version.Version,
        arch: version.Arch,
        name: info.Name,
        id: info.ID,
        cpus: info.NCPU,
        memoryBytes: info.MemTotal,
      };
    },
    async create(given) {
      const spec = { ...given, cluster };
      const name = containerName(spec);
      try {
        const fresh = await withDeadline(`prepare ${name}`, timeoutMs, () => ensureSurroundings(docker, spec));
        const { Memory, NanoCpus, PidsLimit } = limitsOf(spec);
        const { service, revision, replica, fence = 0, image } = spec;
        const labels = signer.labels({ service, revision, replica, fence, image, uid: crypto.randomUUID() });
        const request = createOptions(spec, { ...labels, "troupe.limits": `${Memory}/${NanoCpus}/${PidsLimit}` });
        const { id } = await withDeadline(`create ${name}`, timeoutMs, (abortSignal) =>
          docker.createContainer({ ...request, abortSignal }),
        );
        await withDeadline(`prepare ${name}`, timeoutMs, async () => {
          await joinNetworks(docker, id, spec);
          await ownVolumes(docker, id, fresh);
          await putSecretFiles(docker, id, spec.files ?? []);
        });
        return { id, outcome: "created" };
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== "conflict") throw error;
        const holder = await holderOf(name);
        if (holder === "absent")
          throw new EngineError("failed", `Cannot create ${name} as the engine still keeps the name`, { cause: error });
        if (holder !== "foreign") return { id: holder.id, outcome: "exists" };
        throw new EngineError("conflict", `Cannot create ${name} as the name belongs to a container that is not ours`, {
          cause: error,
        });
      }
    },
    async start(id) {
      const item = await find(id);
      if (!item) throw new EngineError("not_found", `Cannot start ${id.slice(0, 12)} as it is not there or not ours`);
      if (item.State === "running") return "running";
      try {
        await withDeadline(`start ${id.slice(0, 12)}`, timeoutMs, (abortSignal) =>
          docker.getContainer(id).start({ abortSignal }),
        );
        return "started";
      } catch (error) {
        if (error instanceof EngineError && error.code === "already") return "running";
        throw error;
      }
    },
    async stop(id, graceMs = DEFAULT_GRACE_MS) {
      if (!(await find(id))) return "gone";
      await withDeadline(`stop ${id.slice(0, 12)}`, graceMs + timeoutMs, (abortSignal) =>
        docker.getContainer(id).stop({ t: Math.ceil(graceMs / 1_000), abortSignal }),
      ).catch(ignore("not_found", "already"));
      return "stopped";
    },
    async remove(id, graceMs = DEFAULT_GRACE_MS) {
      const item = await find(id);
      if (!item) return "gone";
      const container = docker.getContainer(item.Id);
      if ((item.State === "running" || item.State === "restarting") && graceMs > 0 && !stuckUntil.has(item.Id)) {
        await withDeadline(`stop ${id.slice(0, 12)}`, graceMs + timeoutMs, (abortSignal) =>
          container.stop({ t: Math.ceil(graceMs / 1_000), abortSignal }),
        ).catch(ignore("not_found", "already"));
      }
      // Force: it may have come back to life, be paused, or be a twin's half-finished removal.
      await withDeadline(`remove ${id.slice(0, 12)}`, timeoutMs, (abortSignal) =>
        container.remove({ force: true, v: true, abortSignal }),
      ).catch(ignore("not_found", "conflict"));
      return "removed";
    },
    async mend(id, spec) {
      const item = await find(id);
      if (!item) return;
      const container = docker.getContainer(id);
      await withDeadline(`update ${id.slice(0, 12)}`, timeoutMs, () =>
        container.update({ ...limitsOf(spec), RestartPolicy: { Name: "no" } }),
      ).catch(ignore("not_found"));
      const name = containerName({ ...spec, cluster });
      if (!item.Names.includes(`/${name}`))
        await withDeadline(`rename ${id.slice(0, 12)}`, timeoutMs, () => container.rename({ name })).catch(
          ignore("not_found", "conflict"),
        );
    },
    events: (signal) =>
      followEvents({
        identityOf: (labels) => signer.read(labels),
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
    logs: (id, request) => readLogs(docker, id, timeoutMs, request),
    async stats(id) {
      const reading = await withDeadline(`read the use of ${id.slice(0, 12)}`, timeoutMs, () =>
        docker.getContainer(id).stats({ stream: false }),
      );
      return statsOf(reading);
    },
    image: (reference) => imageId(docker, reference, timeoutMs),
    pull: (reference, progress = () => undefined) => pullImage(docker, reference, logins, progress),
    buildImage: (build) => buildImage(docker, build),
    close: async () => undefined,
  };
}

interface SystemInfo {
  readonly Name: string;
  readonly ID: string;
  readonly NCPU: number;
  readonly MemTotal: number;
}

/** Labels can be copied with their signature: of two containers with one uid only the older is ours. */
function withoutCopies(records: readonly ContainerRecord[]): ContainerRecord[] {
  const first = new Map<string, ContainerRecord>();
  for (const record of records) {
    const other = first.get(record.uid);
    if (other === undefined || Date.parse(record.createdAt) < Date.parse(other.createdAt))
      first.set(record.uid, record);
  }
  return [...first.values()];
}

function ignore(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof EngineError) || !codes.includes(error.code)) throw error;
  };
}
