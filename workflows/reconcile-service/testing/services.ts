import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import type { ServiceConfig } from "#actors/orchestrator/service/messages.ts";
import { ECHO_IMAGE } from "#infra/docker/echo-image.ts";

/** A configuration of the echo service, with what a test changes about it. */
export function echo(
  replicas: number,
  change: Partial<ServiceConfig["spec"]> = {},
  policies: Partial<Omit<ServiceConfig, "spec" | "replicas">> = {},
): ServiceConfig {
  return {
    replicas,
    update: DEFAULT_UPDATE,
    scale: null,
    dependsOn: [],
    stop: { graceMs: 5_000 },
    ...policies,
    spec: {
      image: ECHO_IMAGE,
      command: ["serve"],
      env: { GREETING: "hello" },
      ports: [{ container: 8080, host: null }],
      resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 64 },
      volumes: [],
      networks: [],
      health: null,
      ...change,
    },
  };
}
