import * as v from "valibot";
import type { DockerStatus } from "#infra/docker/status.ts";
import { RefusedError } from "#runtime";
import { parseConfig } from "../../config/config.ts";
import type { ConfigPolicy } from "../../config/config.ts";
import type { ConfigServices } from "../../config/messages.ts";
import { SERVICE_NAME } from "../../service/messages.ts";
import { Problem } from "../problem.ts";

const MAX_BODY_BYTES = 1024 * 1024;
const MEDIA_TYPES: ReadonlySet<string> = new Set(["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "application/json"]);
const RETRY_AFTER_SECONDS = 5;

/**
 * Lets a request pass only when it can be served: a change needs an engine that answers, a look needs one that has
 * ever answered (what was seen last is still the truth as far as it is known).
 * @throws {Problem} 503 `docker.unavailable` with the reason.
 */
export async function requireDocker(docker: () => Promise<DockerStatus>, kind: "change" | "look"): Promise<void> {
  const status = await docker();
  if (status.state === "ready" || (status.state === "unreachable" && kind === "look")) return;
  throw new Problem(503, "docker.unavailable", `There is no Docker engine to run services on: ${status.reason}`, { retryAfter: RETRY_AFTER_SECONDS });
}

/**
 * The services of a configuration file in a request's body.
 * @throws {Problem} 413, 415, 400 for bytes that are not UTF-8, or 422 with every error of the file.
 */
export async function readConfigFile(request: Request, policy: ConfigPolicy): Promise<ConfigServices> {
  const media = (request.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!MEDIA_TYPES.has(media)) throw new Problem(415, "config.media_type", "A configuration file is sent as application/yaml");
  const parsed = parseConfig(await readText(request), policy);
  if (parsed.ok) return parsed.services;
  throw new Problem(422, "config.invalid", "The file holds errors, so nothing of it was taken: see errors", { issues: parsed.issues });
}

/**
 * A small JSON body that fits a schema.
 * @throws {Problem} 400 or 422.
 */
export async function readBody<S extends v.GenericSchema>(request: Request, schema: S): Promise<v.InferOutput<S>> {
  const text = await readText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "json.malformed", "The body is not JSON");
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issues = result.issues.map((issue) => ({
    path: (issue.path ?? []).map((item) => `/${String(item.key)}`).join(""),
    message: issue.type === "strict_object" && issue.expected === "never" ? "is not a known member" : issue.input === undefined ? "is required" : "does not fit",
    expected: issue.requirement === undefined ? (issue.expected ?? issue.type) : `${issue.type} ${String(issue.requirement)}`,
    received: Array.isArray(issue.input) ? "array" : typeof issue.input,
  }));
  throw new Problem(422, "invalid_input", "The content does not fit: see errors", { issues });
}

async function readText(request: Request): Promise<string> {
  const tooLarge = new Problem(413, "body.too_large", `The body is larger than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Problem(400, "body.encoding", "The body is not UTF-8");
  }
}

/**
 * The name of a service from the path.
 * @throws {Problem} 422 when no service can have it.
 */
export function serviceName(name: string): string {
  if (SERVICE_NAME.test(name)) return name;
  const issue = { path: "path/name", message: "is not a name of a service", expected: "lower case, digits and hyphens, at most 63, a letter first" };
  throw new Problem(422, "invalid_input", "The name of the service does not fit: see errors", { issues: [issue] });
}

/** The message id of a write that carries an `Idempotency-Key`, as call options. */
export function onceOptions(request: Request): { id?: string } {
  const key = request.headers.get("idempotency-key");
  if (key === null) return {};
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) throw new Problem(400, "idempotency.key_malformed", "Idempotency-Key must be 1 to 200 visible ASCII characters");
  return { id: `http/${key}` };
}

/** Waits for a call to the configuration; what it refuses becomes a problem. */
export async function orProblem<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    switch (error.reason) {
      case "unknown_service":
        throw notFound();
      case "unknown_revision":
        throw new Problem(404, "config.revision_not_found", "There is no such revision, or it is no longer kept");
      case "port_pinned":
        throw new Problem(422, "service.port_pinned", "The service pins a host port, so there can be one replica only");
      default:
        throw error;
    }
  }
}

/** 404 `service.not_found` */
export function notFound(): Problem {
  return new Problem(404, "service.not_found", "There is no such service");
}
