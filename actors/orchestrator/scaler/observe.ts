import type { ContainerRecord } from "#infra/docker/container-record.ts";
import type { Engine } from "#infra/docker/engine.ts";
import type { ObservedReplica } from "../service/messages.ts";
import type { ObservedContainer, Slots } from "./messages.ts";
import { slotKey } from "./messages.ts";

/** The containers of one service, as the engine has them now. */
export async function observe(engine: Engine, service: string): Promise<readonly ObservedContainer[]> {
  return (await engine.list(service)).map(toObserved);
}

function toObserved(record: ContainerRecord): ObservedContainer {
  const { id, service, revision, replica, image, state, startedAt, finishedAt, exitCode, oomKilled, ports } = record;
  return {
    id,
    service,
    revision,
    replica,
    image,
    state,
    startedAt,
    finishedAt,
    exitCode,
    oomKilled,
    hostPorts: ports.map((p) => p.host),
  };
}

/** The same for the people who ask about the service, with the restarts of each slot. */
export function replicasOf(containers: readonly ObservedContainer[], slots: Slots): ObservedReplica[] {
  return containers.map((c) => ({
    containerId: c.id,
    replica: c.replica,
    revision: c.revision,
    state: c.state,
    healthy: c.state === "running",
    hostPorts: [...c.hostPorts],
    image: c.image,
    startedAt: c.startedAt,
    restarts: slots[slotKey(c.revision, c.replica)]?.restarts ?? 0,
  }));
}
