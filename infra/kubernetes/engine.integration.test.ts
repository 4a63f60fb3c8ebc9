import { expect, setDefaultTimeout, test } from "bun:test";
import type { ContainerSpec } from "../engines/container.ts";
import type { Engine } from "../engines/engine.ts";
import { engineConformance } from "../engines/testing/conformance.ts";
import { testServer } from "../stack/for-tests.ts";
import { UnavailableError } from "../stack/types.ts";
import { eventually } from "../testing/eventually.ts";
import { kubernetesEngine } from "./engine.ts";
import { type TestNamespace, testNamespace } from "./testing/namespace.ts";

setDefaultTimeout(240_000);

const kubeconfig = await testServer("kubernetes").catch((error: unknown) => {
  if (!(error instanceof UnavailableError)) throw error;
  console.warn(`Kubernetes is not tested: ${error.message}`);
  return undefined;
});

const spec = (change: Partial<ContainerSpec> = {}): ContainerSpec => ({
  cluster: "t",
  service: "web",
  revision: "r",
  replica: 0,
  image: "registry.example/web:1",
  command: ["serve"],
  env: { TOKEN: "s3cret", "discovery.type": "single" },
  ports: [{ container: 8080, host: null }],
  resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 10 },
  ...change,
});

if (kubeconfig === undefined) test.skip("kubernetesEngine(): there is no API server here", () => undefined);
else {
  engineConformance(
    "kubernetesEngine()",
    async () => {
      const space = await testNamespace(kubeconfig);
      return {
        connect: (cluster) => kubernetesEngine({ kubeconfig, namespace: space.name, cluster }),
        image: "registry.example/echo:1",
        prepare: async () => undefined,
        containers: { kind: "pretended", crash: (id) => space.crash(id) },
        close: async () => await space[Symbol.asyncDispose](),
      };
    },
    { pretended: true, knowsImages: false },
  );

  const within = async (body: (engine: Engine, space: TestNamespace) => Promise<void>): Promise<void> => {
    await using space = await testNamespace(kubeconfig);
    await body(kubernetesEngine({ kubeconfig, namespace: space.name, cluster: "t" }), space);
  };
  const running = (engine: Engine, id: string) =>
    eventually("it runs", 60_000, async () => {
      const record = await engine.inspect(id);
      return record?.state === "running" && record.startedAt !== null && record;
    });

  test("a pod has no rights, its limits, and its environment in a Secret that goes with it", async () => {
    await within(async (engine, space) => {
      const { id } = await engine.create(spec());
      await engine.start(id);
      const record = await running(engine, id);
      expect(record.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const pod = (await space.list("api/v1", "pods"))[0] as unknown as {
        spec: { automountServiceAccountToken: boolean; containers: Record<string, unknown>[] };
      };
      expect(pod.spec.automountServiceAccountToken).toBe(false);
      expect(pod.spec.containers[0]).toMatchObject({
        args: ["serve"],
        resources: { limits: { cpu: "500m" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      });
      expect(JSON.stringify(pod)).not.toContain("s3cret");
      expect(await space.list("api/v1", "secrets")).toHaveLength(1);
      await engine.remove(id, 0);
      await eventually("its Secret is gone", 60_000, async () => (await space.list("api/v1", "secrets")).length === 0);
    });
  });

  test("secret files come from a Secret of their own, which goes with the slot", async () => {
    await within(async (engine, space) => {
      const { id } = await engine.create(spec({ files: [{ name: "token", content: "s3cret" }] }));
      expect(await space.list("api/v1", "secrets")).toHaveLength(2);
      const [deployment] = await space.list("apis/apps/v1", "deployments");
      expect(JSON.stringify(deployment)).toContain('"mountPath":"/run/secrets"');
      expect(JSON.stringify(deployment)).not.toContain("s3cret");
      await engine.remove(id, 0);
      await eventually("both are gone", 60_000, async () => (await space.list("api/v1", "secrets")).length === 0);
    });
  });

  test("services of a network have a Service of their name, until their last slot is gone", async () => {
    await within(async (engine, space) => {
      const ids: string[] = [];
      for (const replica of [0, 1]) ids.push((await engine.create(spec({ replica, networks: ["back"] }))).id);
      const there = async (): Promise<string[]> =>
        (await space.list("api/v1", "services")).map(({ metadata }) => metadata.name);
      expect(await there()).toEqual(["web"]);
      await engine.remove(ids[0] ?? "", 0);
      expect(await there()).toEqual(["web"]);
      await engine.remove(ids[1] ?? "", 0);
      await eventually("the Service is gone", 60_000, async () => (await there()).length === 0);
    });
  });

  test("limits that somebody changed by hand are seen, and put back by a server-side apply", async () => {
    await within(async (engine, space) => {
      const { id } = await engine.create(spec());
      const [deployment] = await space.list("apis/apps/v1", "deployments");
      await space.change("apis/apps/v1", `deployments/${deployment?.metadata.name}`, {
        spec: { template: { spec: { containers: [{ name: "main", resources: { limits: { memory: "1Gi" } } }] } } },
      });
      expect((await engine.inspect(id))?.differences).toEqual(["limits"]);
      await engine.mend(id, spec());
      expect((await engine.inspect(id))?.differences).toEqual([]);
    });
  });

  test("labels like ours without our signature are not ours, and nothing of them is touched", async () => {
    await within(async (engine, space) => {
      const { id } = await engine.create(spec());
      const [deployment] = await space.list("apis/apps/v1", "deployments");
      await space.change("apis/apps/v1", `deployments/${deployment?.metadata.name}`, {
        metadata: { annotations: { "troupe.replica": "5" } },
      });
      expect(await engine.list()).toEqual([]);
      expect(await engine.remove(id, 0)).toBe("gone");
      expect(await space.list("apis/apps/v1", "deployments")).toHaveLength(1);
    });
  });

  test("a pod that no node takes is said to be stuck, with the cluster's reason", async () => {
    await within(async (engine) => {
      const { id } = await engine.create(spec({ resources: { memoryBytes: 10 * 1024 ** 4, cpus: 1, pids: 10 } }));
      await engine.start(id);
      await eventually("it is stuck", 60_000, async () =>
        (await engine.inspect(id))?.stuck?.includes("no node takes it"),
      );
    });
  });

  test("the check of a service becomes the readiness of its pods", async () => {
    await within(async (engine, space) => {
      const timing = { intervalMs: 2_000, timeoutMs: 1_000, retries: 3, startPeriodMs: 5_000 };
      const { id } = await engine.create(spec({ check: { kind: "http", path: "/health", port: 8080, ...timing } }));
      await engine.start(id);
      await eventually("it is healthy", 60_000, async () => (await engine.inspect(id))?.check === "healthy");
      await space.unready(id);
      await eventually("it is unhealthy", 60_000, async () => (await engine.inspect(id))?.check === "unhealthy");
    });
  });
}
