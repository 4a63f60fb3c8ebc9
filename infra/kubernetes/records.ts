import type { ContainerRecord } from "../engines/container.ts";
import { containerName, type Marks, type Signer } from "../engines/identity.ts";
import {
  bytesOf,
  CONTAINER,
  LIMITS,
  limitsText,
  millisOf,
  PATIENCE,
  SLOT_LABEL,
  STARTED,
  STOPPED,
} from "./manifests.ts";
import type { ContainerStates, Deployment, KubeObject, Pod } from "./objects.ts";

/** What keeps a container from running, in words of the cluster that do not pass by themselves. */
const STUCK_REASONS: ReadonlySet<string> = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
]);

/** The marks of an object of ours; `undefined` when it is not ours. */
export function marksOf(signer: Signer, { metadata }: KubeObject): Marks | undefined {
  return signer.read(metadata.annotations);
}

/** The pod that stands for a slot: of several the one that is not leaving, then the newest. */
export function podOf(deployment: Deployment, pods: readonly Pod[]): Pod | undefined {
  const slot = deployment.metadata.labels?.[SLOT_LABEL];
  const [best] = pods
    .filter((pod) => pod.metadata.labels?.[SLOT_LABEL] === slot)
    .toSorted(
      (a, b) =>
        Number(a.metadata.deletionTimestamp !== undefined) - Number(b.metadata.deletionTimestamp !== undefined) ||
        b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp),
    );
  return best;
}

/** A slot as the port describes containers; `undefined` when it is not ours. */
export function recordOf(
  signer: Signer,
  deployment: Deployment,
  pods: readonly Pod[],
  nowMs = Date.now(),
): ContainerRecord | undefined {
  const marks = marksOf(signer, deployment);
  if (!marks) return undefined;
  const pod = podOf(deployment, pods);
  const container = deployment.spec.template.spec.containers.find(({ name }) => name === CONTAINER);
  const status = pod?.status?.containerStatuses?.[0];
  const address = pod?.status?.podIP;
  return {
    ...marks,
    id: deployment.metadata.uid,
    name: containerName(marks),
    imageId: status?.imageID || container?.image || marks.image,
    createdAt: deployment.metadata.creationTimestamp,
    ...stateOf(deployment, pod, nowMs),
    ...(address === undefined ? {} : { address }),
    // A pod has an address of its own: its ports are reached by their own numbers.
    ports: (container?.ports ?? [])
      .map(({ containerPort }) => ({ container: containerPort, host: containerPort }))
      .sort((a, b) => a.container - b.container),
    resources: resourcesOf(container?.resources?.limits),
    differences:
      deployment.metadata.annotations?.[LIMITS] === limitsText(container?.resources?.limits) ? [] : ["limits"],
  };
}

function resourcesOf(limits: Readonly<Record<string, string>> | undefined): ContainerRecord["resources"] {
  return { memoryBytes: bytesOf(limits?.["memory"] ?? ""), cpus: millisOf(limits?.["cpu"] ?? "") / 1_000, pids: 0 };
}

type State = Pick<ContainerRecord, "state" | "startedAt" | "finishedAt" | "exitCode" | "oomKilled" | "check" | "stuck">;

const REST: State = {
  state: "created",
  startedAt: null,
  finishedAt: null,
  exitCode: 0,
  oomKilled: false,
  check: null,
  stuck: null,
};

function stateOf(deployment: Deployment, pod: Pod | undefined, nowMs: number): State {
  const { deletionTimestamp, annotations = {} } = deployment.metadata;
  const startedAt = annotations[STARTED] ?? null;
  if (deletionTimestamp !== undefined) return { ...REST, state: "removing", startedAt };
  const wanted = (deployment.spec.replicas ?? 0) > 0;
  if (!wanted && pod === undefined)
    return startedAt === null
      ? REST
      : { ...REST, state: "exited", startedAt, finishedAt: annotations[STOPPED] ?? null };
  const status = pod?.status?.containerStatuses?.[0];
  const { running, waiting, terminated } = status?.state ?? {};
  if (running) {
    // The cluster counts in seconds, and we asked for it before: of two starts in one second each is another.
    const later = Date.parse(running.startedAt ?? "") > Date.parse(startedAt ?? "");
    const since = startedAt !== null && !later ? startedAt : (running.startedAt ?? null);
    return { ...REST, state: "running", startedAt: since, check: checkOf(deployment, pod, since, nowMs) };
  }
  const ended = terminated ?? (waiting?.reason === "CrashLoopBackOff" ? status?.lastState?.terminated : undefined);
  if (ended) return endOf(ended);
  const stuck = waitOf(waiting, pod);
  return { ...REST, state: "running", check: "starting", stuck };
}

function endOf(ended: NonNullable<ContainerStates["terminated"]>): State {
  return {
    ...REST,
    state: "exited",
    startedAt: ended.startedAt ?? null,
    finishedAt: ended.finishedAt ?? null,
    exitCode: ended.exitCode,
    oomKilled: ended.reason === "OOMKilled",
  };
}

/** Why a container does not begin to run, where that does not pass by itself. */
function waitOf(waiting: ContainerStates["waiting"], pod: Pod | undefined): string | null {
  if (waiting?.reason !== undefined && STUCK_REASONS.has(waiting.reason))
    return `${waiting.reason}: ${waiting.message ?? "the cluster says no more"}`.slice(0, 300);
  const placed = pod?.status?.conditions?.find(({ type }) => type === "PodScheduled");
  return placed?.status === "False" && placed.reason === "Unschedulable"
    ? `no node takes it: ${placed.message ?? ""}`.slice(0, 300)
    : null;
}

/** What the readiness of a pod means: before it was ready for the first time, it is starting for a while. */
function checkOf(
  deployment: Deployment,
  pod: Pod | undefined,
  startedAt: string | null,
  nowMs: number,
): ContainerRecord["check"] {
  const probe = deployment.spec.template.spec.containers.find(({ name }) => name === CONTAINER)?.readinessProbe;
  const ready = pod?.status?.conditions?.find(({ type }) => type === "Ready");
  if (ready?.status === "True") return probe ? "healthy" : null;
  if (!probe) return "starting";
  const begun = Date.parse(startedAt ?? "");
  const patienceMs = Number(deployment.metadata.annotations?.[PATIENCE] ?? 0);
  const wasReady = Date.parse(ready?.lastTransitionTime ?? "") > begun + 1_000;
  return wasReady || nowMs - begun > patienceMs ? "unhealthy" : "starting";
}
