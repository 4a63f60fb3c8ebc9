import type { ServiceConfig } from "#actors/orchestrator/service/messages.ts";
import { ECHO_IMAGE } from "#infra/docker/echo-image.ts";

/** A configuration of the echo service, with what a test changes about it. */
export function echo(replicas: number, change: Partial<ServiceConfig["spec"]> = {}): ServiceConfig {
  return {
    replicas,
    spec: {
      image: ECHO_IMAGE,
      command: ["serve"],
      env: { GREETING: "hello" },
      ports: [{ container: 8080, host: null }],
      resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 64 },
      ...change,
    },
  };
}
