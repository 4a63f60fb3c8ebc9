import { type ConfigPolicy, parseConfig } from "#actors/orchestrator/config/config.ts";
import type { ConfigServices } from "#actors/orchestrator/config/messages.ts";
import type { DockerStatus } from "#infra/docker/status.ts";
import { readBytes } from "#infra/http/body.ts";
import { notFound } from "#infra/http/endpoint.ts";
import { Problem } from "#infra/http/problem.ts";
import { RefusedError, type Troupe } from "#runtime";

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  "application/yaml",
  "application/x-yaml",
  "text/yaml",
  "text/x-yaml",
  "application/json",
]);

/** What the routes work with. */
export interface OrchestratorDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
  /** Whether there is an engine: see `dockerStatus` in `infra/docker`. */
  readonly docker: () => Promise<DockerStatus>;
  /** Which images may run, and how large. Default: `troupe/*`. */
  readonly policy?: ConfigPolicy;
}

const RETRY_AFTER_SECONDS = 5;

/**
 * Lets a request pass only when it can be served: a change needs an engine that answers, a look needs one that has
 * ever answered (what was seen last is still the truth as far as it is known).
 * @throws {Problem} 503 `docker.unavailable` with the reason.
 */
export async function requireDocker(docker: () => Promise<DockerStatus>, kind: "change" | "look"): Promise<void> {
  const status = await docker();
  if (status.state === "ready" || (status.state === "unreachable" && kind === "look")) return;
  throw new Problem(503, "docker.unavailable", `There is no Docker engine to run services on: ${status.reason}`, {
    retryAfter: RETRY_AFTER_SECONDS,
  });
}

/**
 * The services of a configuration file in a request's body.
 * @throws {Problem} 413, 415, 400 for bytes that are not UTF-8, or 422 with every error of the file.
 */
export async function readConfigFile(request: Request, policy: ConfigPolicy): Promise<ConfigServices> {
  const media = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!MEDIA_TYPES.has(media))
    throw new Problem(415, "config.media_type", "A configuration file is sent as application/yaml");
  const parsed = parseConfig(decode(await readBytes(request)), policy);
  if (parsed.ok) return parsed.services;
  throw new Problem(422, "config.invalid", "The file holds errors, so nothing of it was taken: see errors", {
    issues: parsed.issues,
  });
}

/** Waits for a call to the configuration; what it refuses becomes a problem. */
export async function orProblem<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    switch (error.reason) {
      case "unknown_service":
        throw notFound("service");
      case "unknown_revision":
        throw new Problem(404, "config.revision_not_found", "There is no such revision, or it is no longer kept");
      case "port_pinned":
        throw new Problem(422, "service.port_pinned", "The service pins a host port, so there can be one replica only");
      default:
        throw error;
    }
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Problem(400, "body.encoding", "The body is not UTF-8");
  }
}
