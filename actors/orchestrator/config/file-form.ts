import { DEFAULT_UPDATE } from "../scaler/messages.ts";
import type { HealthCheck, JobPolicy, ServiceConfig } from "../service/messages.ts";
import type { ConfigServices } from "./messages.ts";
import { memoryText, textOf } from "./values.ts";

/** Services as they would be written in a file: what `GET /config` shows may be sent back as it is. */
export function fileForm(services: ConfigServices): Record<string, unknown> {
  return Object.fromEntries(Object.entries(services).map(([name, service]) => [name, serviceForm(service)]));
}

function serviceForm(config: ServiceConfig): Record<string, unknown> {
  const { spec, replicas, update, scale, dependsOn, stop, job } = config;
  const { image, command, env, ports, resources, volumes, networks, health, secrets } = spec;
  return {
    image,
    ...(job === undefined ? { replicas } : { schedule: scheduleForm(job) }),
    ...(command.length > 0 ? { command } : {}),
    ...(Object.keys(env).length > 0 ? { env } : {}),
    ...(ports.length > 0
      ? { ports: ports.map(({ container, host }) => (host === null ? container : `${host}:${container}`)) }
      : {}),
    ...(volumes.length > 0
      ? {
          volumes: volumes.map(
            (mount) =>
              `${mount.kind === "bind" ? mount.source : mount.name}:${mount.path}${mount.readOnly ? ":ro" : ""}`,
          ),
        }
      : {}),
    ...(networks.length > 0 ? { networks } : {}),
    ...(secrets === undefined ? {} : { secrets }),
    ...(health === null ? {} : { health: healthForm(health) }),
    resources: { memory: memoryText(resources.memoryBytes), cpus: resources.cpus, pids: resources.pids },
    ...(Bun.deepEquals(update, DEFAULT_UPDATE) ? {} : { update: updateForm(update) }),
    ...(scale === null ? {} : { scale: scaleForm(scale) }),
    ...(dependsOn.length > 0 ? { dependsOn } : {}),
    ...(stop.graceMs === 10_000 ? {} : { stop: { grace: textOf(stop.graceMs) } }),
  };
}

function scheduleForm({ cron, zone, concurrency, deadlineMs, history }: JobPolicy): Record<string, unknown> {
  return { ...(cron === null ? { once: true } : { cron, zone }), concurrency, deadline: textOf(deadlineMs), history };
}

function healthForm(health: HealthCheck): Record<string, unknown> {
  const { intervalMs, timeoutMs, retries, startPeriodMs } = health;
  const what =
    health.kind === "http"
      ? { http: health.path, port: health.port }
      : health.kind === "tcp"
        ? { tcp: health.port }
        : { exec: health.command };
  return {
    ...what,
    interval: textOf(intervalMs),
    timeout: textOf(timeoutMs),
    retries,
    startPeriod: textOf(startPeriodMs),
  };
}

function updateForm(update: ServiceConfig["update"]): Record<string, unknown> {
  const { order, maxSurge, maxUnavailable, minReadyMs, deadlineMs, maxFailures, canary } = update;
  return {
    order,
    maxSurge,
    maxUnavailable,
    ...(minReadyMs === null ? {} : { minReady: textOf(minReadyMs) }),
    deadline: textOf(deadlineMs),
    maxFailures,
    ...(canary === null ? {} : { canary: `${canary}%` }),
  };
}

function scaleForm({ min, max, on, upMs, downMs, toZeroAfterMs }: NonNullable<ServiceConfig["scale"]>): object {
  const { cpu, memory, ...others } = on;
  return {
    min,
    max,
    on: {
      ...others,
      ...(cpu === undefined ? {} : { cpu: `${cpu}%` }),
      ...(memory === undefined ? {} : { memory: `${memory}%` }),
    },
    up: textOf(upMs),
    down: textOf(downMs),
    ...(toZeroAfterMs === null ? {} : { toZeroAfter: textOf(toZeroAfterMs) }),
  };
}
