import { type ConfigPolicy, fileForm, parseConfig } from "#actors/orchestrator/config/config.ts";
import type { ConfigServices, GatewayRule } from "#actors/orchestrator/config/messages.ts";
import { readBytes } from "#infra/http/body.ts";
import { notFound } from "#infra/http/endpoint.ts";
import { Problem } from "#infra/http/problem.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import { RefusedError, type Troupe } from "#runtime";
import type { LogRequest, ReplicaStats, ServiceLine } from "./seeing.ts";

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
  /** Which images may run, and how large. Default: `troupe/*`. */
  readonly policy?: ConfigPolicy;
  /** Seals secrets. Default: they are kept as they are. */
  readonly secrets?: SecretBox;
  /** Whether the events of services come back over a broker. Default: they do not. */
  readonly echoed?: boolean;
  /** The containers of the engine that this process drives; `undefined`: it drives none. */
  readonly containers?: () => OwnContainers | undefined;
}

/** What can be asked of the containers of one host. */
export interface OwnContainers {
  /** The lines of a service, oldest first, across the generations of its containers; goes on with `follow`. */
  logs(service: string, request: LogRequest): AsyncIterable<ServiceLine>;
  stats(service: string): Promise<readonly ReplicaStats[]>;
}

/**
 * The revision that a change is made on, by its `If-Match`; `null`: any.
 * @throws {Problem} 400 `config.if_match` when it is no entity tag of ours.
 */
export function expectedRevision(request: Request): number | null {
  const header = request.headers.get("if-match")?.trim();
  if (header === undefined || header === "*") return null;
  const revision = /^"(\d{1,15})"$/.exec(header)?.[1];
  if (revision === undefined)
    throw new Problem(400, "config.if_match", 'If-Match takes the ETag of GET /config, as in "7"');
  return Number(revision);
}

/** The entity tag of a revision. */
export const etagOf = (revision: number): string => `"${revision}"`;

/**
 * Checks what was taken once with the policy of today: images that are allowed no longer, limits that are lower now.
 * @throws {Problem} 422 with every objection.
 */
export function checkAgain(services: ConfigServices, policy: ConfigPolicy): void {
  const parsed = parseConfig(JSON.stringify({ services: fileForm(services) }), policy);
  if (parsed.ok) return;
  throw new Problem(
    422,
    "config.not_allowed",
    "The earlier revision asks for what is not allowed any more: see errors",
    {
      issues: parsed.issues.map(({ pointer: path, message }) => ({ path, message })),
    },
  );
}

/**
 * The services of a configuration file in a request's body.
 * @throws {Problem} 413, 415, 400 for bytes that are not UTF-8, or 422 with every error of the file.
 */
export async function readConfigFile(
  request: Request,
  policy: ConfigPolicy,
): Promise<{ services: ConfigServices; gateway: GatewayRule[] }> {
  const media = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!MEDIA_TYPES.has(media))
    throw new Problem(415, "config.media_type", "A configuration file is sent as application/yaml");
  const parsed = parseConfig(decode(await readBytes(request)), policy);
  if (parsed.ok) return { services: parsed.services, gateway: [...parsed.gateway] };
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
      case "unknown_job":
        throw notFound("job");
      case "job_running":
        throw new Problem(409, "job.running", "It runs already, and its schedule says concurrency: forbid");
      case "unknown_revision":
        throw new Problem(404, "config.revision_not_found", "There is no such revision, or it is no longer kept");
      case "revision_moved":
        throw new Problem(
          412,
          "config.revision_moved",
          "Another revision is in force by now: look at it, then try again",
        );
      case "no_canary":
      case "no_update":
        throw new Problem(409, `service.${error.reason}`, "There is no update that could be promoted or aborted");
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
