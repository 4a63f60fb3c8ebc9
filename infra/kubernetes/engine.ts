import { pause } from "../base/pause.ts";
import type { ContainerRecord, ContainerSpec } from "../engines/container.ts";
import type { Engine } from "../engines/engine.ts";
import { EngineError } from "../engines/errors.ts";
import { containerName, Signer } from "../engines/identity.ts";
import { KubeApi } from "./api.ts";
import { watchCluster } from "./events.ts";
import { type ClusterAddress, readAccess } from "./kubeconfig.ts";
import {
  bytesOf,
  claimName,
  claimOf,
  CONTAINER,
  deploymentOf,
  filesOf,
  limitsOf,
  millisOf,
  secretOf,
  selector,
  serviceOf,
  SLOT_LABEL,
  slotName,
  STARTED,
  STOPPED,
  volumesOf,
} from "./manifests.ts";
import type { Deployment, KubeObject, Pod } from "./objects.ts";
import { podOf, recordOf } from "./records.ts";

/** What {@link kubernetesEngine} is given. */
export interface KubernetesEngineOptions extends ClusterAddress {
  /** Whose Deployments these are. Default `default`. */
  readonly cluster?: string;
  /** As for Docker: sign and know what is ours. */
  readonly signingKeys?: readonly string[];
  /** The deadline of an ordinary call. Default 10,000 ms. */
  readonly timeoutMs?: number;
}

const DEFAULT_GRACE_MS = 5_000;
/** Pauses between two looks at what is to change: they grow, so that a long grace is not a storm of requests. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;

/**
 * Runs services on a Kubernetes cluster, in one namespace. A slot is a Deployment of at most one replica: created with
 * none, started and stopped by asking for one or none. Nodes that fail are Kubernetes' to replace; how many replicas
 * there are, how they are updated and scaled is planned by the reconcile loop as everywhere else (no autoscaler of the
 * cluster takes part). Services of a network have a Service of their name; named volumes are claims of 1 GiB.
 *
 * The process must reach the addresses of pods to send them requests: it runs in the cluster, or beside its network.
 * Images come from registries, by the cluster's own rules; a tag that moves is not noticed. The number of a container's
 * processes is not limited, and paths of the machine are not given to containers.
 */
export function kubernetesEngine(options: KubernetesEngineOptions = {}): Engine {
  const { cluster = "default", signingKeys, timeoutMs = 10_000 } = options;
  const signer = new Signer(cluster, signingKeys);
  let reading: ReturnType<typeof readAccess> | undefined;
  const access = (): ReturnType<typeof readAccess> => {
    reading ??= readAccess(options);
    reading.catch(() => (reading = undefined));
    return reading;
  };
  const api = new KubeApi(access, timeoutMs);
  const ids = new Map<string, string>();

  const in_ = async (group: string, kind: string, name = ""): Promise<string> =>
    `${group}/namespaces/${(await access()).namespace}/${kind}${name === "" ? "" : `/${name}`}`;
  const deployments = (name?: string): Promise<string> => in_("/apis/apps/v1", "deployments", name);
  const core = (kind: string, name?: string): Promise<string> => in_("/api/v1", kind, name);

  async function look(service?: string): Promise<{ deployments: readonly Deployment[]; pods: readonly Pod[] }> {
    const wanted = selector(cluster, service);
    const [slots, pods] = await Promise.all([
      api.list<Deployment>(await deployments(), wanted),
      api.list<Pod>(await core("pods"), wanted),
    ]);
    for (const { metadata } of slots.items) ids.set(metadata.labels?.[SLOT_LABEL] ?? "", metadata.uid);
    return { deployments: slots.items, pods: pods.items };
  }

  interface Found {
    readonly deployment: Deployment;
    readonly pods: readonly Pod[];
    readonly record: ContainerRecord;
  }

  /** One of our slots by id or name. */
  async function find(idOrName: string): Promise<Found | undefined> {
    const seen = await look();
    for (const deployment of seen.deployments) {
      const record = recordOf(signer, deployment, seen.pods);
      if (record?.id !== idOrName && record?.name !== idOrName) continue;
      const slot = deployment.metadata.name;
      return { deployment, record, pods: seen.pods.filter(({ metadata }) => metadata.labels?.[SLOT_LABEL] === slot) };
    }
    return undefined;
  }

  async function until(what: string, withinMs: number, holds: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + withinMs;
    for (let pauseMs = FIRST_PAUSE_MS; !(await holds()); pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      if (performance.now() > end)
        throw new EngineError("timeout", `Cannot ${what} as the cluster did not do so within ${withinMs} ms`);
      await pause(pauseMs);
    }
  }

  /** Asks for a number of replicas, of exactly this Deployment. */
  async function ask({ metadata }: KubeObject, replicas: 0 | 1, mark: string): Promise<void> {
    const annotations = { [mark]: new Date().toISOString() };
    await api.merge(await deployments(metadata.name), {
      metadata: { uid: metadata.uid, annotations },
      spec: { replicas },
    });
  }

  async function endPods(pods: readonly Pod[], graceMs: number): Promise<void> {
    const gracePeriodSeconds = Math.ceil(graceMs / 1_000);
    await Promise.all(
      pods.map(async ({ metadata: { name, uid } }) =>
        api.delete(await core("pods", name), { gracePeriodSeconds, preconditions: { uid } }).catch(replaced),
      ),
    );
  }

  async function stop(found: Found, graceMs: number): Promise<void> {
    await ask(found.deployment, 0, STOPPED);
    const id = found.record.id;
    const told = new Set<string>();
    await until(`stop ${id}`, graceMs + timeoutMs, async () => {
      const now = await find(id);
      // A pod that was made meanwhile has to end too.
      const fresh = (now?.pods ?? []).filter(({ metadata }) => !told.has(metadata.uid));
      for (const { metadata } of fresh) told.add(metadata.uid);
      await endPods(fresh, graceMs);
      return !now || now.pods.length === 0;
    });
  }

  async function prepare(spec: ContainerSpec): Promise<void> {
    if ((spec.volumes ?? []).some(({ kind }) => kind === "bind"))
      throw new EngineError("refused", `Cannot create ${containerName(spec)} as pods get no paths of their node`);
    for (const { name } of volumesOf(spec)) {
      const there = await api.get(await core("persistentvolumeclaims", claimName(cluster, name))).catch(gone);
      if (there === undefined)
        await api.create(await core("persistentvolumeclaims"), claimOf(cluster, name)).catch(twin);
    }
  }

  /** What a Deployment of ours needs beside it. Made again where a twin was killed between the two. */
  async function surround(spec: ContainerSpec, deployment: Deployment): Promise<void> {
    await api.create(await core("secrets"), secretOf(spec, cluster, deployment)).catch(twin);
    const files = filesOf(spec, cluster, deployment);
    if (files !== undefined) await api.create(await core("secrets"), files).catch(twin);
    if ((spec.networks ?? []).length === 0 || spec.ports.length === 0) return;
    // Each slot applies it as a party of its own, so that each is an owner: it goes with the last of them.
    const name = deployment.metadata.name;
    await api.apply(await core("services", spec.service), serviceOf(spec, cluster, deployment), `troupe-${name}`);
  }

  return {
    driver: "kubernetes",
    checks: ["exec", "http", "tcp"],
    cluster,
    async ping() {
      const { name, namespace } = await access();
      const [version, own, nodes] = await Promise.all([
        api.get<{ gitVersion: string; platform: string }>("/version"),
        api.get<KubeObject>(`/api/v1/namespaces/${namespace}`),
        // Not everybody may see the nodes.
        api.get<{ items: readonly NodeObject[] }>("/api/v1/nodes").catch(() => ({ items: [] })),
      ]);
      const sum = (resource: string, read: (quantity: string) => number): number =>
        nodes.items.reduce((total, node) => total + read(node.status?.allocatable?.[resource] ?? ""), 0);
      return {
        version: version.gitVersion,
        arch: version.platform.split("/")[1] ?? version.platform,
        name,
        id: own.metadata.uid,
        cpus: sum("cpu", millisOf) / 1_000,
        memoryBytes: sum("memory", bytesOf),
      };
    },
    async list(service) {
      const seen = await look(service);
      return seen.deployments
        .flatMap((deployment) => recordOf(signer, deployment, seen.pods) ?? [])
        .filter((record) => service === undefined || record.service === service)
        .sort((a, b) => a.name.localeCompare(b.name));
    },
    async inspect(idOrName) {
      return (await find(idOrName))?.record;
    },
    async create(given) {
      const spec = { ...given, cluster };
      await prepare(spec);
      const { service, revision, replica, fence = 0, image } = spec;
      const marks = signer.labels({ service, revision, replica, fence, image, uid: crypto.randomUUID() });
      try {
        const made = await api.create<Deployment>(await deployments(), deploymentOf(spec, marks, cluster));
        await surround(spec, made);
        return { id: made.metadata.uid, outcome: "created" };
      } catch (error) {
        if (!(error instanceof EngineError) || error.code !== "conflict") throw error;
        const name = containerName(spec);
        const holder = await api.get<Deployment>(await deployments(slotName(spec))).catch(gone);
        const record = holder && recordOf(signer, holder, []);
        if (!holder || record?.state === "removing")
          throw new EngineError("failed", `Cannot create ${name} as the one before it is not gone yet`, {
            cause: error,
          });
        if (!record)
          throw new EngineError(
            "conflict",
            `Cannot create ${name} as ${slotName(spec)} is a Deployment that is not ours`,
          );
        await surround(spec, holder);
        return { id: record.id, outcome: "exists" };
      }
    },
    async start(id) {
      const found = await find(id);
      if (!found || found.record.state === "removing")
        throw new EngineError("not_found", `Cannot start ${id} as it is not there or not ours`);
      const { deployment, record, pods } = found;
      if ((deployment.spec.replicas ?? 0) > 0) {
        if (record.state === "running") return "running";
        // It ended by itself, and the cluster waits longer and longer before each try: a new pod begins at once.
        await endPods(pods, 0);
      }
      await ask(deployment, 1, STARTED);
      return "started";
    },
    async stop(id, graceMs = DEFAULT_GRACE_MS) {
      const found = await find(id);
      if (!found || found.record.state === "removing") return "gone";
      await stop(found, graceMs);
      return "stopped";
    },
    async remove(id, graceMs = DEFAULT_GRACE_MS) {
      const found = await find(id);
      if (!found) return "gone";
      if (found.record.state !== "removing") await stop(found, graceMs);
      const { name, uid } = found.deployment.metadata;
      const path = await deployments(name);
      await api.delete(path, { propagationPolicy: "Foreground", preconditions: { uid } }).catch(replaced);
      await until(`remove ${id}`, timeoutMs, async () => {
        const there = await api.get<Deployment>(path).catch(gone);
        return there?.metadata.uid !== uid;
      });
      return "removed";
    },
    async mend(id, spec) {
      const found = await find(id);
      if (!found) return;
      const limits = limitsOf(spec);
      await api.apply(await deployments(found.deployment.metadata.name), {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: found.deployment.metadata.name },
        spec: { template: { spec: { containers: [{ name: CONTAINER, resources: { limits } }] } } },
      });
    },
    async *events(signal) {
      const [slots, pods] = [await deployments(), await core("pods")].map(String) as [string, string];
      yield* watchCluster({
        api,
        signer,
        deployments: slots,
        pods,
        selector: selector(cluster),
        idOf: ({ metadata }) => ids.get(metadata.labels?.[SLOT_LABEL] ?? "") ?? metadata.uid,
        signal,
      });
    },
    async *logs(id, { since, tail, follow = false, signal = new AbortController().signal }) {
      const found = await find(id);
      const pod = found && podOf(found.deployment, found.pods);
      if (!pod) throw new EngineError("not_found", `Cannot read the log of ${id} as it has no pod`);
      const ended = found.record.state === "exited" && (pod.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
      const query = {
        container: CONTAINER,
        timestamps: "true",
        ...(since === undefined ? {} : { sinceTime: since }),
        ...(tail === undefined ? {} : { tailLines: String(tail) }),
        ...(ended ? { previous: "true" } : follow ? { follow: "true" } : {}),
      };
      for await (const line of api.stream(await core("pods", `${pod.metadata.name}/log`), query, signal)) {
        const space = line.indexOf(" ");
        yield { at: line.slice(0, space), stream: "stdout", text: line.slice(space + 1) };
      }
    },
    async stats(id) {
      const found = await find(id);
      const pod = found && podOf(found.deployment, found.pods);
      if (!pod) throw new EngineError("not_found", `Cannot read the use of ${id} as it has no pod`);
      const path = await in_("/apis/metrics.k8s.io/v1beta1", "pods", pod.metadata.name);
      const { containers } = await api.get<{ containers: readonly { usage: Record<string, string> }[] }>(path);
      const sum = (resource: string, read: (quantity: string) => number): number =>
        containers.reduce((total, { usage }) => total + read(usage[resource] ?? ""), 0);
      const limits = found.deployment.spec.template.spec.containers[0]?.resources?.limits ?? {};
      return {
        cpuPercent: Math.round(sum("cpu", millisOf) * 10) / 100,
        memoryBytes: sum("memory", bytesOf),
        memoryLimitBytes: bytesOf(limits["memory"] ?? ""),
        pids: 0,
        receivedBytes: 0,
        sentBytes: 0,
      };
    },
    // Nodes fetch images themselves: whether there is one shows when a container is to run.
    image: async (reference) => reference,
    pull: async () => undefined,
    async buildImage({ tag }) {
      throw new EngineError(
        "refused",
        `Cannot build ${tag} on a Kubernetes cluster: push it to a registry it pulls from`,
      );
    },
    close: async () => undefined,
  };
}

interface NodeObject {
  readonly status?: { readonly allocatable?: Readonly<Record<string, string>> };
}

/** What is not there is an answer. */
function gone(error: unknown): undefined {
  if (error instanceof EngineError && error.code === "not_found") return undefined;
  throw error;
}

/** It is gone, and another one may have its name by now. */
function replaced(error: unknown): undefined {
  return error instanceof EngineError && error.code === "conflict" ? undefined : gone(error);
}

/** A twin has made it. */
function twin(error: unknown): undefined {
  if (error instanceof EngineError && error.code === "conflict") return undefined;
  throw error;
}
