import { ECHO_IMAGE } from "#infra/docker/echo-image.ts";
import { NO_IMAGE } from "./system.ts";

/** The service that faults are done to. */
export const SERVICE = "web";
/** Containers beyond the number of replicas that an update may run. */
export const SURGE = 1;

/** What a revision of the service is like, besides its number. */
export type Flaw =
  /** It does its work. */
  | "none"
  /** Its image cannot be had. */
  | "no-image"
  /** Its check fails. */
  | "unhealthy"
  /** Each of its containers ends after five seconds. */
  | "dies"
  /** It answers every second request with 500. */
  | "errors";

/** A configuration of the service. */
export interface Wanted {
  /** Makes a revision another one. */
  readonly greeting: string;
  readonly replicas: number;
  readonly flaw?: Flaw;
  /** The share of requests that the revision gets until it is promoted, as in `25%`. */
  readonly canary?: string;
}

/** The file that is posted, as JSON. */
export function fileOf({ greeting, replicas, flaw = "none", canary }: Wanted): unknown {
  const env = {
    GREETING: greeting,
    ...(flaw === "dies" ? { DIE_AFTER: "5s" } : {}),
    ...(flaw === "errors" ? { FAIL_EVERY: "2" } : {}),
  };
  const health = { exec: ["/none"], interval: "500ms", timeout: "500ms", retries: 2, startPeriod: "500ms" };
  const web = {
    image: flaw === "no-image" ? NO_IMAGE : ECHO_IMAGE,
    replicas,
    command: ["serve"],
    env,
    ports: [8080],
    ...(flaw === "unhealthy" ? { health } : {}),
    resources: { memory: "32MiB", cpus: 0.2, pids: 32 },
    update: {
      maxSurge: SURGE,
      maxUnavailable: 0,
      deadline: "40s",
      // What dies after five seconds has to be found out by what holds where nothing is said: ten for the first.
      ...(flaw === "dies" ? {} : { minReady: "1s" }),
      ...(canary === undefined ? {} : { canary }),
    },
    stop: { grace: "2s" },
  };
  return { services: { [SERVICE]: web } };
}
