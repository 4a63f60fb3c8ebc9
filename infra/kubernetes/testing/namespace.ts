import { KubeApi } from "../api.ts";
import { readAccess } from "../kubeconfig.ts";
import type { Deployment, KubeObject, ObjectList, Pod } from "../objects.ts";

/** A namespace of a test's own on a real API server whose nodes are pretended. Deleted with all that is in it. */
export interface TestNamespace extends AsyncDisposable {
  readonly name: string;
  /** As in `list("apis/apps/v1", "deployments")`. What Kubernetes puts there itself is left out. */
  list(group: string, kind: string): Promise<readonly KubeObject[]>;
  /** A strategic merge patch, as by hand. */
  change(group: string, path: string, patch: object): Promise<void>;
  /** The container of a Deployment ends with exit code 1, and its node says so. */
  crash(id: string): Promise<void>;
  /** The node says that a container is not ready any more. */
  unready(id: string): Promise<void>;
}

const NODE = "pretended";

/** Makes the namespace, and the node that its pods go to. */
export async function testNamespace(kubeconfig: string): Promise<TestNamespace> {
  const access = await readAccess({ kubeconfig });
  const api = new KubeApi(async () => access, 20_000);
  const name = `t-${crypto.randomUUID().slice(0, 8)}`;
  const unless = (error: unknown): void => {
    if ((error as { code?: string }).code !== "conflict") throw error;
  };
  const status = {
    capacity: { cpu: "64", memory: "256Gi", pods: "500" },
    allocatable: { cpu: "64", memory: "256Gi", pods: "500" },
  };
  const node = {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: NODE, annotations: { "kwok.x-k8s.io/node": "fake" } },
    status,
  };
  await api.create("/api/v1/nodes", node).catch(unless);
  await api.create("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  const root = (group: string): string => `/${group}/namespaces/${name}`;
  // Pods can be made once the account that they run as is there.
  for (;;) {
    const there = await api.get(`${root("api/v1")}/serviceaccounts/default`).then(
      () => true,
      () => false,
    );
    if (there) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  const list = async (group: string, kind: string): Promise<readonly KubeObject[]> =>
    (await api.list<KubeObject>(`${root(group)}/${kind}`, "")).items;

  async function podOf(id: string): Promise<Pod> {
    const deployments = (await list("apis/apps/v1", "deployments")) as readonly Deployment[];
    const slot = deployments.find(({ metadata }) => metadata.uid === id)?.metadata.labels?.["troupe.slot"];
    const pods: ObjectList<Pod> = await api.list<Pod>(`${root("api/v1")}/pods`, `troupe.slot=${slot}`);
    const pod = pods.items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
    if (!pod) throw new Error(`Cannot find the pod of ${id}`);
    return pod;
  }

  async function setStatus(pod: Pod, change: object): Promise<void> {
    await api.merge(`${root("api/v1")}/pods/${pod.metadata.name}/status`, { status: change });
  }

  return {
    name,
    list,
    change: (group, path, patch) => api.strategic(`${root(group)}/${path}`, patch),
    async crash(id) {
      const pod = await podOf(id);
      const [container] = pod.status?.containerStatuses ?? [];
      const now = new Date().toISOString();
      const startedAt = container?.state?.running?.startedAt ?? now;
      const terminated = { exitCode: 1, reason: "Error", startedAt, finishedAt: now };
      await setStatus(pod, {
        containerStatuses: [{ ...container, ready: false, state: { running: null, terminated } }],
      });
    },
    async unready(id) {
      const pod = await podOf(id);
      const at = new Date(Date.now() + 5_000).toISOString();
      const conditions = (pod.status?.conditions ?? []).map((one) =>
        one.type === "Ready" ? { ...one, status: "False", lastTransitionTime: at } : one,
      );
      await setStatus(pod, { conditions });
    },
    async [Symbol.asyncDispose]() {
      await api.delete(`/api/v1/namespaces/${name}`, {});
    },
  };
}
