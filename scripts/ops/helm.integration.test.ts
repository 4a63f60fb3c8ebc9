import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { run, which } from "#infra/stack/command.ts";
import { VARIABLE_NAMES } from "../app/settings.ts";
import { ROLES } from "../app/variables.ts";
import { kubeProgram, startKubeApi } from "./kube-api.ts";
import { tool } from "./tools.ts";

setDefaultTimeout(120_000);

const CHART = join(import.meta.dir, "../../infra/helm/troupe");
const FILES = readdirSync(join(CHART, "ci")).toSorted();
const helm = tool("helm");
const kube = kubeProgram();
const VERSION = "1.34.0";

interface Container {
  readonly name: string;
  readonly securityContext: { readonly readOnlyRootFilesystem?: boolean; readonly allowPrivilegeEscalation: boolean };
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly livenessProbe?: unknown;
  readonly readinessProbe?: unknown;
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly securityContext: { readonly runAsNonRoot: boolean };
        readonly containers: readonly Container[];
        readonly volumes?: readonly { readonly hostPath?: unknown }[];
      };
    };
  };
}

let folder = "";
const rendered = new Map<string, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "troupe-helm-"));
  if (helm === undefined) return;
  await Promise.all(
    FILES.map(async (file) => {
      const release = file.replace(/^(\d+)-.*$/, "t$1");
      const args = ["template", release, CHART, "--kube-version", VERSION, "--values", join(CHART, "ci", file)];
      rendered.set(file, await run(helm, args));
    }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const manifestsOf = (file: string): Manifest[] =>
  parseAllDocuments(rendered.get(file) ?? "").flatMap((document) => (document.toJS() as Manifest | null) ?? []);
const all = (): Manifest[] => FILES.flatMap(manifestsOf);
const workloads = (list: readonly Manifest[]): Manifest[] =>
  list.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind));

test("the chart has ten files of values, and its version is the package's", () => {
  expect(FILES).toHaveLength(10);
  const { version } = JSON.parse(readFileSync(join(CHART, "../../../package.json"), "utf8")) as { version: string };
  expect(parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"))).toMatchObject({ version, appVersion: version });
});

test.skipIf(helm === undefined)("helm lint finds nothing", async () => {
  const said = await run(helm ?? "", ["lint", "--strict", CHART, "--kube-version", VERSION]);
  expect(said).toContain("0 chart(s) failed");
});

test.skipIf(helm === undefined)(
  "values that are misspelt, or give the Docker socket to another driver, are refused",
  async () => {
    const attempt = (...sets: string[]): Promise<string> =>
      run(helm ?? "", ["template", "t", CHART, "--kube-version", VERSION, ...sets.flatMap((set) => ["--set", set])]);
    await expect(attempt("roles.actors.replica=3")).rejects.toThrow("replica");
    await expect(attempt("scaler.dockerSocket=true")).rejects.toThrow("driver");
    await expect(attempt("env.TROUPE_ADMIN_KEY=x")).rejects.toThrow("TROUPE_ADMIN_KEY");
    await expect(attempt("ingress.enabled=true")).rejects.toThrow("ingress.hosts has to name a host");
  },
);

test.skipIf(helm === undefined)(
  "every pod runs as nobody, on a root that it cannot write, with variables that the app knows",
  () => {
    const known = new Set(VARIABLE_NAMES.flatMap((name) => [name, `${name}_FILE`]));
    for (const { kind, spec } of workloads(all())) {
      const { securityContext, containers } = spec.template.spec;
      expect(securityContext.runAsNonRoot).toBe(true);
      for (const container of containers) {
        expect(container.securityContext.allowPrivilegeEscalation).toBe(false);
        if (kind !== "Job")
          expect([container.name, container.livenessProbe && container.readinessProbe]).not.toContain(undefined);
        if (kind === "StatefulSet") continue;
        expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
        expect(container.env?.filter(({ name }) => !known.has(name as never))).toEqual([]);
      }
    }
    expect([...rendered.values()].join("\n")).not.toMatch(/(?:postgres|amqp|redis):\/\/[^\s"]*:[^\s"]*@/);
  },
);

test.skipIf(helm === undefined)(
  "there is one Deployment per role, and the Docker socket is mounted only where it is asked for",
  () => {
    const deployments = manifestsOf("07-a-namespace-per-role.yaml").filter(({ kind }) => kind === "Deployment");
    expect(deployments.map(({ metadata }) => metadata.namespace)).toEqual(
      ROLES.toSorted().map((role) => `t07-${role}`),
    );
    const withSocket = FILES.filter((file) =>
      workloads(manifestsOf(file)).some(({ spec }) =>
        spec.template.spec.volumes?.some(({ hostPath }) => hostPath !== undefined),
      ),
    );
    expect(withSocket).toEqual(["05-scaler-on-docker.yaml"]);
  },
);

test.skipIf(helm === undefined || kube === undefined || which("kubectl") === undefined)(
  "a Kubernetes API server takes every manifest, and none has a field that it does not know",
  async () => {
    await using api = await startKubeApi(kube ?? "");
    const kubectl = (...args: string[]): Promise<string> => run("kubectl", ["--kubeconfig", api.kubeconfig, ...args]);
    // What is only tried makes no namespaces.
    const namespaces = all().filter(({ kind }) => kind === "Namespace");
    for (const { metadata } of namespaces) await kubectl("create", "namespace", metadata.name);
    const path = join(folder, "all.yaml");
    writeFileSync(path, FILES.map((file) => rendered.get(file)).join("\n---\n"));
    const said = await kubectl(
      "apply",
      "--server-side",
      "--dry-run=server",
      "--validate=strict",

      "-f",
      path,
    );
    expect(said.trim().split("\n")).toHaveLength(all().length);
    writeFileSync(
      path,
      (rendered.get("08-smallest.yaml") ?? "").replace("terminationGracePeriodSeconds", "terminationGraceSeconds"),
    );
    await expect(kubectl("apply", "--dry-run=server", "--validate=strict", "-f", path)).rejects.toThrow(
      "terminationGraceSeconds",
    );
  },
);
