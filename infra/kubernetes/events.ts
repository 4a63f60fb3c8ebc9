import { pause } from "../base/pause.ts";
import type { EngineEvent } from "../engines/engine.ts";
import { Feed } from "../engines/feed.ts";
import type { Identity, Signer } from "../engines/identity.ts";
import type { KubeApi, WatchEvent } from "./api.ts";
import type { Deployment, KubeObject, Pod } from "./objects.ts";
import { marksOf } from "./records.ts";

/** What {@link watchCluster} needs. */
export interface ClusterWatch {
  readonly api: KubeApi;
  readonly signer: Signer;
  readonly deployments: string;
  readonly pods: string;
  readonly selector: string;
  /** The id of the slot that a pod stands for. */
  idOf(pod: Pod): string;
  readonly signal: AbortSignal;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * What happens to our slots, by two watches: Deployments are made and removed, pods start, end, and change their health.
 * Each watch is resumed where it ended; where that cannot be told any more, everything is listed again and `resync` said.
 */
export async function* watchCluster(watch: ClusterWatch): AsyncGenerator<EngineEvent> {
  const { signal } = watch;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const ending = new AbortController();
    const either = AbortSignal.any([signal, ending.signal]);
    const feed = new Feed<EngineEvent>();
    const events = feed.follow(either);
    try {
      const lives = new Map<string, Life>();
      const { api, deployments, pods, selector } = watch;
      const [slots, running] = [await api.list<Deployment>(deployments, selector), await api.list<Pod>(pods, selector)];
      for (const pod of running.items) lives.set(pod.metadata.uid, lifeOf(pod));
      pauseMs = FIRST_PAUSE_MS;
      yield { kind: "resync" };
      const ended = (): void => ending.abort();
      void follow<Deployment>(watch, deployments, slots.metadata.resourceVersion, either, (event) => {
        const action = event.type === "ADDED" ? "create" : event.type === "DELETED" ? "destroy" : undefined;
        if (action !== undefined) tell(feed, watch, event.object, event.object.metadata.uid, action);
      }).then(ended, ended);
      void follow<Pod>(watch, pods, running.metadata.resourceVersion, either, (event) => {
        for (const action of changesOf(lives, event)) tell(feed, watch, event.object, watch.idOf(event.object), action);
      }).then(ended, ended);
      yield* events;
    } catch {
      // The server is away: said below, and tried again.
    } finally {
      ending.abort();
      await events.return(undefined);
    }
    if (!signal.aborted) yield { kind: "lost" };
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

/** Whether a pod's container runs, since when, and whether it is ready. */
interface Life {
  readonly startedAt: string | undefined;
  readonly ready: boolean;
}

function lifeOf({ status }: Pod): Life {
  const container = status?.containerStatuses?.[0];
  return { startedAt: container?.state?.running?.startedAt, ready: container?.ready === true };
}

/** What a change of a pod means for its slot. */
function changesOf(lives: Map<string, Life>, { type, object }: WatchEvent<Pod>): readonly string[] {
  const before = lives.get(object.metadata.uid);
  const now = type === "DELETED" ? { startedAt: undefined, ready: false } : lifeOf(object);
  if (type === "DELETED") lives.delete(object.metadata.uid);
  else lives.set(object.metadata.uid, now);
  const changes: string[] = [];
  if (before?.startedAt !== undefined && before.startedAt !== now.startedAt) changes.push("die");
  if (now.startedAt !== undefined && before?.startedAt !== now.startedAt) changes.push("start");
  else if (now.startedAt !== undefined && before?.ready !== now.ready) changes.push("health_status");
  return changes;
}

function tell(
  feed: Feed<EngineEvent>,
  { signer }: ClusterWatch,
  object: KubeObject,
  containerId: string,
  action: string,
): void {
  const identity: Identity | undefined = marksOf(signer, object);
  if (identity) feed.push({ kind: "container", action, containerId, identity });
}

/** Follows one kind of object. The server ends each stream after some minutes; it is resumed from its last version. */
async function follow<T extends KubeObject>(
  { api, selector }: ClusterWatch,
  path: string,
  from: string,
  signal: AbortSignal,
  changed: (event: WatchEvent<T>) => void,
): Promise<void> {
  let version = from;
  while (!signal.aborted) {
    for await (const event of api.watch<T>(path, selector, version, signal)) {
      version = event.object.metadata.resourceVersion;
      if (event.type !== "BOOKMARK") changed(event);
    }
  }
}
