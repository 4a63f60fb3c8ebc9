import { createHash } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, hostname, release, tmpdir, totalmem, userInfo } from "node:os";
import { join } from "node:path";
import type { ContainerSpec } from "../engines/container.ts";
import type { Engine, EngineEvent } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";
import { Feed } from "../engines/feed.ts";
import { containerName } from "../engines/identity.ts";
import { type Lock, tryLock } from "../stack/lock.ts";
import { type ProcessMark, signalGroup } from "../stack/process-mark.ts";
import { ProcessContainer } from "./container.ts";
import { Programs } from "./images.ts";
import { givePorts } from "./ports.ts";
import { usageOf } from "./usage.ts";

/** What {@link processEngine} is given. */
export interface ProcessEngineOptions {
  /** Whose processes these are. Default `default`. */
  readonly cluster?: string;
  /** Where images and the list of what runs are kept. Default: a folder of this user's below the system's temporary one. */
  readonly directory?: string;
  /** How often the use of memory is looked at. Default 2,000 ms. */
  readonly lookEveryMs?: number;
}

const DEFAULT_GRACE_MS = 5_000;
const STATS_APART_MS = 250;

/**
 * Runs services as plain processes of this machine, for machines without Docker and for quick tests.
 *
 * Like a container, each has its own environment (nothing of ours), folder, ports and group of processes, and where this
 * process is root it runs as nobody. Unlike one, it sees the machine's files and network: nothing but trusted programs
 * belongs here. Memory is watched, and what exceeds its limit is ended; processors and the number of processes are not
 * limited. There are no volumes and no networks.
 *
 * One process drives the folder of a cluster; another one finds the engine `unavailable`. Its children end with
 * {@link Engine.close}; those of one that was killed are ended by the next.
 */
export function processEngine(options: ProcessEngineOptions = {}): Engine {
  const { cluster = "default", lookEveryMs = 2_000 } = options;
  const directory = options.directory ?? join(tmpdir(), `troupe-processes-${userInfo().username}`);
  const place = join(directory, cluster);
  const programs = new Programs(directory);
  const feed = new Feed<EngineEvent>();
  const held = new Map<string, ProcessContainer>();
  let opening: Promise<Lock> | undefined;
  let watching: ReturnType<typeof setInterval> | undefined;

  /** The folder is ours alone from here on. */
  async function open(): Promise<void> {
    opening ??= takeOver();
    opening.catch(() => (opening = undefined));
    await opening;
  }

  async function takeOver(): Promise<Lock> {
    await mkdir(place, { recursive: true });
    // Root's processes run as nobody: they go through these folders, and read nothing of them.
    if (process.getuid?.() === 0) await Promise.all([directory, place].map((path) => chmod(path, 0o711)));
    const lock = tryLock(join(place, "engine.lock"));
    if (!lock) throw new EngineError("unavailable", `Cannot run processes in ${place} as another process does`);
    const left = await readFile(join(place, "running.json"), "utf8").catch(() => "[]");
    for (const mark of JSON.parse(left) as ProcessMark[]) signalGroup(mark, "SIGKILL");
    watching = setInterval(() => void enforceMemory(), lookEveryMs);
    return lock;
  }

  async function enforceMemory(): Promise<void> {
    const running = [...held.values()].filter((one) => one.pid !== undefined);
    const usage = await usageOf(running.map((one) => one.pid ?? 0));
    for (const one of running)
      if ((usage.get(one.pid ?? 0)?.memoryBytes ?? 0) > one.spec.resources.memoryBytes) one.outOfMemory();
  }

  async function note(): Promise<void> {
    const marks = [...held.values()].flatMap((one) => one.mark ?? []);
    await writeFile(join(place, "running.json"), JSON.stringify(marks));
  }

  function find(id: string): ProcessContainer | undefined {
    return held.get(id) ?? [...held.values()].find((one) => one.name === id);
  }

  function tell(action: string, container: ProcessContainer): void {
    feed.push({ kind: "container", action, containerId: container.id, identity: container.identity });
  }

  const starting = new Map<string, Promise<"started" | "running">>();
  async function start(container: ProcessContainer): Promise<"started" | "running"> {
    if (container.pid !== undefined) return "running";
    const given = new Set([...held.values()].flatMap((one) => one.ports.map((port) => port.host)));
    await container.start(await givePorts(container.spec.ports, given));
    await note();
    return "started";
  }

  return {
    driver: "process",
    checks: ["exec"],
    cluster,
    async ping() {
      await open();
      const name = hostname();
      const id = createHash("sha256").update(`${name}:${place}`).digest("hex").slice(0, 16);
      const arch = process.arch === "x64" ? "amd64" : process.arch;
      return { version: release(), arch, name, id, cpus: availableParallelism(), memoryBytes: totalmem() };
    },
    async list(service) {
      await open();
      return [...held.values()]
        .filter((one) => service === undefined || one.service === service)
        .map((one) => one.record())
        .sort((a, b) => a.name.localeCompare(b.name));
    },
    async inspect(idOrName) {
      await open();
      return find(idOrName)?.record();
    },
    async create(given) {
      await open();
      const spec: ContainerSpec = { ...given, cluster };
      const name = containerName(spec);
      const twin = find(name);
      if (twin) return { id: twin.id, outcome: "exists" };
      const wanted = (spec.volumes ?? []).length > 0 ? "volumes" : (spec.networks ?? []).length > 0 ? "networks" : "";
      if (wanted !== "") throw new EngineError("refused", `Cannot create ${name} as a process host has no ${wanted}`);
      const program = await programs.find(spec.imageId ?? spec.image);
      if (!program)
        throw new EngineError("not_found", `Cannot create ${name} as the image ${spec.image} is not on this host`);
      const { service, revision, replica, fence = 0, image } = spec;
      const marks = { cluster, service, revision, replica, fence, image, uid: crypto.randomUUID() };
      const container = new ProcessContainer(spec, marks, program, place, (action) => tell(action, container));
      // Again: a twin may have been made while the image was looked for.
      const other = find(name);
      if (other) return { id: other.id, outcome: "exists" };
      held.set(container.id, container);
      tell("create", container);
      return { id: container.id, outcome: "created" };
    },
    async start(id) {
      await open();
      const container = held.get(id);
      if (!container) throw new EngineError("not_found", `Cannot start ${id.slice(0, 12)} as it is not there`);
      const running = starting.get(id) ?? start(container).finally(() => starting.delete(id));
      starting.set(id, running);
      return await running;
    },
    async stop(id, graceMs = DEFAULT_GRACE_MS) {
      await open();
      const container = held.get(id);
      if (!container) return "gone";
      await container.stop(graceMs);
      await note();
      return "stopped";
    },
    async remove(id, graceMs = DEFAULT_GRACE_MS) {
      await open();
      const container = held.get(id);
      if (!container) return "gone";
      await container.stop(graceMs);
      if (!held.delete(id)) return "gone";
      await container.forget();
      await note();
      tell("destroy", container);
      return "removed";
    },
    async mend() {
      // Nobody but this process can change them.
    },
    async *events(signal) {
      const following = feed.follow(signal);
      yield { kind: "resync" };
      yield* following;
    },
    async *logs(id, request) {
      const container = held.get(id);
      if (!container)
        throw new EngineError("not_found", `Cannot read the log of ${id.slice(0, 12)} as it is not there`);
      yield* container.lines.read(request);
    },
    async stats(id) {
      const container = held.get(id);
      const pid = container?.pid;
      if (!container || pid === undefined)
        throw new EngineError("not_found", `Cannot read the use of ${id.slice(0, 12)} as it does not run`);
      const at = performance.now();
      const before = (await usageOf([pid])).get(pid);
      await Bun.sleep(STATS_APART_MS);
      const now = (await usageOf([pid])).get(pid);
      const passed = performance.now() - at;
      return {
        cpuPercent: Math.round((((now?.cpuMs ?? 0) - (before?.cpuMs ?? 0)) / passed) * 10_000) / 100,
        memoryBytes: now?.memoryBytes ?? 0,
        memoryLimitBytes: container.spec.resources.memoryBytes,
        pids: now?.processes ?? 0,
        receivedBytes: 0,
        sentBytes: 0,
      };
    },
    async image(reference) {
      return (await programs.find(reference))?.id;
    },
    async pull(reference) {
      throw new EngineError("refused", `Cannot fetch ${reference} as a process host has no registry`);
    },
    async buildImage(build) {
      await mkdir(directory, { recursive: true });
      await programs.build(build);
    },
    async close() {
      const lock = await opening?.catch(() => undefined);
      clearInterval(watching);
      await Promise.allSettled([...held.values()].map((one) => one.stop(DEFAULT_GRACE_MS).then(() => one.forget())));
      held.clear();
      if (lock) await note();
      lock?.release();
      opening = undefined;
    },
  };
}
