import type { ContainerRecord } from "#infra/engines/container.ts";
import type { Engine } from "#infra/engines/engine.ts";
import type { HealthCheck, ObservedReplica } from "../service/messages.ts";
import type { Health, ObservedContainer, Slots } from "./messages.ts";
import { slotKey } from "./messages.ts";
import type { Prober } from "./prober.ts";

/** How the containers of a revision are checked; `null`: not at all, or no such revision. */
export type CheckOf = (revision: string) => Promise<HealthCheck | null>;

/** The containers of one service, as a host has them now, with what their checks say. */
export async function observe(
  host: string,
  engine: Engine,
  prober: Prober,
  service: string,
  checkOf: CheckOf,
): Promise<readonly ObservedContainer[]> {
  const records = await engine.list(service);
  const checks = new Map<string, HealthCheck | null>();
  for (const revision of new Set(records.map((record) => record.revision)))
    checks.set(revision, await checkOf(revision));
  const probed = await prober.look(
    service,
    records.flatMap((record) => {
      const check = checks.get(record.revision);
      const asked = record.state === "running" && record.stuck === null && record.check === null;
      return asked && check && check.kind !== "exec" ? [{ record, check }] : [];
    }),
  );
  return records.map((record) => observed(host, record, healthOf(record, probed.get(record.id))));
}

function healthOf(record: ContainerRecord, probed: Health | undefined): Health {
  if (record.state !== "running") return "none";
  return record.check ?? probed ?? "none";
}

function observed(host: string, record: ContainerRecord, health: Health): ObservedContainer {
  const { id, service, revision, replica, image, imageId, state, createdAt, startedAt, finishedAt, exitCode } = record;
  const { oomKilled, ports, differences, stuck, fence, address } = record;
  return {
    id,
    host,
    service,
    revision,
    replica,
    image,
    imageId,
    state,
    createdAt,
    startedAt,
    finishedAt,
    exitCode,
    oomKilled,
    ...(address === undefined ? {} : { address }),
    ports: [...ports],
    health,
    differences: [...differences],
    stuck,
    fence,
  };
}

/** The same for the people who ask about the service, with the restarts of each slot. */
export function replicasOf(containers: readonly ObservedContainer[], slots: Slots): ObservedReplica[] {
  return containers.map((c) => ({
    containerId: c.id,
    host: c.host,
    replica: c.replica,
    revision: c.revision,
    state: c.state,
    healthy: c.state === "running" && c.stuck === null && (c.health === "none" || c.health === "healthy"),
    hostPorts: c.ports.map((port) => port.host),
    ...(c.address === undefined ? {} : { address: c.address }),
    image: c.image,
    imageId: c.imageId,
    startedAt: c.startedAt,
    restarts: slots[slotKey(c.revision, c.replica)]?.restarts ?? 0,
  }));
}
