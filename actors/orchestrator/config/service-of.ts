import type * as v from "valibot";
import { DEFAULT_UPDATE, type UpdatePolicy } from "../scaler/messages.ts";
import type { HealthCheck, JobPolicy, ScalePolicy, ServiceConfig } from "../service/messages.ts";
import type { RawService } from "./raw.ts";

/** The service that a checked part of a file asks for. */
export function serviceOf(raw: RawService): ServiceConfig {
  const { image, command, env, ports, volumes, networks, resources, dependsOn, stop } = raw;
  const scale = raw.scale === undefined ? null : scaleOf(raw.scale);
  return {
    replicas: raw.replicas ?? (scale === null ? 1 : Math.max(1, scale.min)),
    spec: {
      image,
      command,
      env,
      ports,
      resources: { memoryBytes: resources.memory, cpus: resources.cpus, pids: resources.pids },
      volumes,
      networks,
      health: healthOf(raw),
      ...(raw.secrets.length > 0 ? { secrets: raw.secrets } : {}),
    },
    update: updateOf(raw.update),
    scale,
    dependsOn,
    stop: { graceMs: stop?.grace ?? 10_000 },
    ...(raw.schedule === undefined ? {} : { job: jobOf(raw.schedule) }),
  };
}

function jobOf({ cron, zone, concurrency, deadline, history }: NonNullable<RawService["schedule"]>): JobPolicy {
  return { cron: cron ?? null, zone: zone ?? "UTC", concurrency, deadlineMs: deadline, history };
}

function healthOf({ health, ports }: RawService): HealthCheck | null {
  if (health === undefined) return null;
  const { interval: intervalMs, timeout: timeoutMs, retries, startPeriod: startPeriodMs } = health;
  const timing = { intervalMs, timeoutMs, retries, startPeriodMs };
  if (health.exec !== undefined) return { kind: "exec", command: health.exec, ...timing };
  if (health.tcp !== undefined) return { kind: "tcp", port: health.tcp, ...timing };
  return { kind: "http", path: health.http ?? "/", port: health.port ?? ports[0]?.container ?? 80, ...timing };
}

function updateOf(update: RawService["update"]): UpdatePolicy {
  if (update === undefined) return DEFAULT_UPDATE;
  const { order, maxSurge, maxUnavailable, minReady, deadline, maxFailures, canary } = update;
  return {
    order,
    maxSurge,
    maxUnavailable,
    minReadyMs: minReady ?? null,
    deadlineMs: deadline,
    maxFailures,
    canary: canary ?? null,
  };
}

function scaleOf(scale: NonNullable<RawService["scale"]>): v.InferOutput<typeof ScalePolicy> {
  const { min, max, on, up, down, toZeroAfter } = scale;
  // An absent key is not the same as one that is undefined: states are compared.
  const given = Object.fromEntries(Object.entries(on).filter(([, value]) => value !== undefined)) as typeof on;
  return { min, max, on: given, upMs: up, downMs: down, toZeroAfterMs: toZeroAfter ?? null };
}
