import { createHash } from "node:crypto";
import { type ContainerSpec, type EngineCheck, type Mount, SECRETS_PATH } from "../engines/container.ts";
import { containerName, type Identity, LABELS } from "../engines/identity.ts";
import type { Deployment } from "./objects.ts";

/** The user and group of every container: nobody's. */
const UNPRIVILEGED_USER = 65_532;
/** Beside the marks of {@link LABELS}: which slot a pod fills, and what was done to it when. */
export const SLOT_LABEL = "troupe.slot";
export const STARTED = "troupe.started";
export const STOPPED = "troupe.stopped";
export const LIMITS = "troupe.limits";
/** How long a container may be without having been ready before it counts as unhealthy, in milliseconds. */
export const PATIENCE = "troupe.patience";
export const CONTAINER = "main";
const VOLUME_SIZE = "1Gi";

/** The name of a slot's Deployment, the same wherever it is computed: of two that create it the server lets one win. */
export function slotName(identity: Identity): string {
  const hash = createHash("sha256").update(containerName(identity)).digest("hex").slice(0, 10);
  return `${identity.service.slice(0, 40).replace(/-+$/, "")}-${hash}`;
}

/** What a slot's objects are found by. The marks that are believed stand, signed, in their annotations. */
export function slotLabels(identity: Identity): Record<string, string> {
  const plain = (text: string): string => text.replace(/[^A-Za-z0-9]+$/, "");
  return {
    [LABELS.cluster]: plain(identity.cluster),
    [LABELS.service]: plain(identity.service),
    [LABELS.revision]: plain(identity.revision),
    [LABELS.replica]: String(identity.replica),
    [SLOT_LABEL]: slotName(identity),
  };
}

/** As in `troupe.cluster=main,troupe.service=web`. */
export function selector(cluster: string, service?: string): string {
  const labels = slotLabels({ cluster, service: service ?? "", revision: "", replica: 0 });
  const of = (label: string): string => `${label}=${labels[label]}`;
  return service === undefined ? of(LABELS.cluster) : `${of(LABELS.cluster)},${of(LABELS.service)}`;
}

/**
 * A slot as a Deployment of no replicas: it is started by asking for one, and stopped by asking for none. No more than
 * one, ever: how many there are and how they are replaced is planned in one place, the reconcile loop.
 */
export function deploymentOf(spec: ContainerSpec, marks: Record<string, string>, cluster: string): object {
  const identity = { ...spec, cluster };
  const labels = slotLabels(identity);
  const { startPeriodMs = 0, intervalMs = 0, retries = 0 } = spec.check ?? {};
  const patience = String(startPeriodMs + intervalMs * retries);
  const annotations = { ...marks, [LIMITS]: limitsText(limitsOf(spec)), [PATIENCE]: patience };
  const name = slotName(identity);
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, labels, annotations },
    spec: {
      replicas: 0,
      revisionHistoryLimit: 0,
      strategy: { type: "Recreate" },
      selector: { matchLabels: { [SLOT_LABEL]: name } },
      template: {
        metadata: { labels, annotations: marks },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: UNPRIVILEGED_USER,
            runAsGroup: UNPRIVILEGED_USER,
            fsGroup: UNPRIVILEGED_USER,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [containerOf(spec, name)],
          volumes: [
            { name: "tmp", emptyDir: { medium: "Memory", sizeLimit: "16Mi" } },
            ...(hasFiles(spec)
              ? [{ name: "secrets", secret: { secretName: filesName(identity), defaultMode: 0o440 } }]
              : []),
            ...volumesOf(spec).map(({ name: volume }) => ({
              name: volume,
              persistentVolumeClaim: { claimName: claimName(cluster, volume) },
            })),
          ],
        },
      },
    },
  };
}

/** The environment of a slot, which may hold secrets: it goes when the Deployment goes. */
export function secretOf(spec: ContainerSpec, cluster: string, owner: Deployment): object {
  const identity = { ...spec, cluster };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: slotName(identity), labels: slotLabels(identity), ownerReferences: [ownerOf(owner)] },
    immutable: true,
    stringData: hasFiles(spec) ? { SECRETS_DIR: SECRETS_PATH, ...spec.env } : spec.env,
  };
}

/** The secret files of a slot; `undefined`: it has none. */
export function filesOf(spec: ContainerSpec, cluster: string, owner: Deployment): object | undefined {
  if (!hasFiles(spec)) return undefined;
  const identity = { ...spec, cluster };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: filesName(identity), labels: slotLabels(identity), ownerReferences: [ownerOf(owner)] },
    immutable: true,
    stringData: Object.fromEntries((spec.files ?? []).map(({ name, content }) => [name, content])),
  };
}

function hasFiles({ files = [] }: ContainerSpec): boolean {
  return files.length > 0;
}

function filesName(identity: Identity): string {
  return `${slotName(identity)}-files`;
}

/** What other services reach this one by: its name. It goes when the last of its slots goes. */
export function serviceOf({ service, ports }: ContainerSpec, cluster: string, owner: Deployment): object {
  const labels = slotLabels({ cluster, service, revision: "", replica: 0 });
  const wanted = { [LABELS.cluster]: labels[LABELS.cluster], [LABELS.service]: labels[LABELS.service] };
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: service, labels: wanted, ownerReferences: [ownerOf(owner)] },
    spec: {
      selector: wanted,
      ports: ports.map(({ container }) => ({ name: `p${container}`, port: container, targetPort: container })),
    },
  };
}

/** A volume of the cluster: made when it is not there, and never removed. */
export function claimOf(cluster: string, name: string): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: claimName(cluster, name), labels: { [LABELS.cluster]: cluster } },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: VOLUME_SIZE } } },
  };
}

export function claimName(cluster: string, name: string): string {
  return `troupe-${cluster}-${name}`;
}

export function volumesOf({ volumes = [] }: ContainerSpec): readonly Extract<Mount, { kind: "volume" }>[] {
  return volumes.filter((mount) => mount.kind === "volume");
}

/** What a container may take. The number of processes is the machine's to limit. */
export function limitsOf({ resources }: Pick<ContainerSpec, "resources">): Record<"memory" | "cpu", string> {
  return { memory: String(resources.memoryBytes), cpu: `${Math.max(1, Math.round(resources.cpus * 1_000))}m` };
}

export function limitsText(limits: Readonly<Record<string, string>> | undefined): string {
  return `${bytesOf(limits?.["memory"] ?? "")}/${millisOf(limits?.["cpu"] ?? "")}`;
}

/** The server writes quantities as it likes: `64Mi` for 67108864. */
export function bytesOf(quantity: string): number {
  const [, number = "0", unit = ""] = /^([0-9.]+)([A-Za-z]*)$/.exec(quantity) ?? [];
  const binary = ["", "Ki", "Mi", "Gi", "Ti"].indexOf(unit);
  const decimal = ["", "k", "M", "G", "T"].indexOf(unit);
  return Number(number) * (binary >= 0 ? 1_024 ** binary : decimal >= 0 ? 1_000 ** decimal : 1);
}

/** Thousandths of a processor: of `500m`, `0.5`, `123456n`. */
export function millisOf(quantity: string): number {
  const [, number = "0", unit = ""] = /^([0-9.]+)([a-z]*)$/.exec(quantity) ?? [];
  return Number(number) * ({ "": 1_000, m: 1, u: 0.001, n: 0.000_001 }[unit] ?? 0);
}

function containerOf(spec: ContainerSpec, secret: string): object {
  const limits = limitsOf(spec);
  return {
    name: CONTAINER,
    image: spec.imageId ?? spec.image,
    ...(spec.command.length > 0 ? { args: [...spec.command] } : {}),
    envFrom: [{ secretRef: { name: secret } }],
    ports: spec.ports.map(({ container, host }) => ({
      containerPort: container,
      ...(host === null ? {} : { hostPort: host }),
    })),
    resources: { limits, requests: { memory: limits.memory, cpu: `${Math.ceil(millisOf(limits.cpu) / 10)}m` } },
    securityContext: {
      allowPrivilegeEscalation: false,
      privileged: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    ...(spec.check ? { readinessProbe: probeOf(spec.check) } : {}),
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      ...(hasFiles(spec) ? [{ name: "secrets", mountPath: SECRETS_PATH, readOnly: true }] : []),
      ...volumesOf(spec).map(({ name, path, readOnly }) => ({ name, mountPath: path, readOnly })),
    ],
  };
}

function probeOf(check: EngineCheck): object {
  const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));
  const how =
    check.kind === "http"
      ? { httpGet: { path: check.path, port: check.port } }
      : check.kind === "tcp"
        ? { tcpSocket: { port: check.port } }
        : { exec: { command: [...check.command] } };
  return {
    ...how,
    periodSeconds: seconds(check.intervalMs),
    timeoutSeconds: seconds(check.timeoutMs),
    failureThreshold: Math.max(1, check.retries),
  };
}

function ownerOf({ metadata }: Deployment): object {
  return { apiVersion: "apps/v1", kind: "Deployment", name: metadata.name, uid: metadata.uid };
}
