import * as v from "valibot";
import { suggest } from "#infra/base/suggest.ts";
import type { ConfigIssue, Finding } from "#infra/yaml/issue.ts";
import { readYaml } from "#infra/yaml/read-yaml.ts";
import { SERVICE_NAME } from "../service/messages.ts";
import type { ServiceConfig } from "../service/messages.ts";
import { checkGateway } from "./gateway.ts";
import type { ConfigServices, GatewayRule } from "./messages.ts";
import { bindPath, bindRefusal, DEFAULT_POLICY, imageObjection } from "./policy.ts";
import type { ConfigPolicy } from "./policy.ts";
import { KNOWN_KEYS, MAX_SERVICES, NOT_FOR_JOBS, RawService, REPLICAS_RANGE } from "./raw.ts";
import { serviceOf } from "./service-of.ts";
import { ENV_NAME } from "./values.ts";

/** A configuration that may be applied, or every reason why not, in order of their place. */
export type ParsedConfig =
  | { readonly ok: true; readonly services: ConfigServices; readonly gateway: readonly GatewayRule[] }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Reads a configuration file. An allow-list: what is not named in the schema is an error, never passed on to the
 * engine. All errors at once, each with line, column and JSON pointer.
 */
export function parseConfig(text: string, policy: ConfigPolicy = DEFAULT_POLICY): ParsedConfig {
  const read = readYaml(text, { asWritten: isEnv });
  if ("issues" in read) return { ok: false, issues: read.issues };
  const findings: Finding[] = [];
  const services = checkFile(read.file.value, policy, findings);
  const gateway = isMap(read.file.value) ? checkGateway(read.file.value, findings) : [];
  if (findings.length === 0) return { ok: true, services, gateway };
  const issues = findings.map((finding) => read.file.locate(finding));
  return { ok: false, issues: issues.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** Values of variables keep the text they were written as: `0123`, `1.0`, `0x1F`. */
function isEnv(at: readonly (string | number)[]): boolean {
  return at.length === 4 && at[0] === "services" && at[2] === "env";
}

function checkFile(value: unknown, policy: ConfigPolicy, findings: Finding[]): ConfigServices {
  if (!isMap(value)) {
    findings.push({
      at: [],
      message: "the file must be a map with the key services",
      expected: "a map",
      received: kindOf(value),
    });
    return {};
  }
  unknownKeys(value, ["services", "gateway"], [], findings);
  const { services } = value;
  if (!isMap(services)) {
    findings.push({
      at: ["services"],
      message: "must be a map; {} stands for no services",
      expected: "a map",
      received: kindOf(services),
    });
    return {};
  }
  const names = Object.keys(services);
  if (names.length > MAX_SERVICES)
    findings.push({
      at: ["services"],
      message: `must be at most ${MAX_SERVICES} services`,
      received: String(names.length),
    });
  const checked: Record<string, ServiceConfig> = {};
  const hostPorts = new Map<number, string>();
  for (const name of names) {
    const at = ["services", name];
    if (!SERVICE_NAME.test(name))
      findings.push({
        at,
        onKey: true,
        message: "is not a name: lower case, digits and hyphens, at most 63, a letter first",
      });
    const before = findings.length;
    const own: Finding[] = [];
    const service = checkService(services[name], at, policy, hostPorts, own);
    findings.push(...own);
    if (service && findings.length === before) checked[name] = service;
  }
  dependencyFindings(services, findings);
  return checked;
}

function checkService(
  given: unknown,
  at: readonly string[],
  policy: ConfigPolicy,
  hostPorts: Map<number, string>,
  findings: Finding[],
): ServiceConfig | undefined {
  let value = given;
  if (Array.isArray(given)) {
    findings.push({ at, message: "must be a map", expected: "a map", received: "a list" });
    return undefined;
  }
  if (isMap(given)) {
    keysBelow(given, "", at, findings);
    const { image, env } = given;
    if (Array.isArray(env)) value = { ...given, env: envOfList(env, at, findings) };
    for (const name of isMap(env) ? Object.keys(env) : []) {
      if (!ENV_NAME.test(name))
        findings.push({ at: [...at, "env", name], onKey: true, message: "is not the name of a variable" });
    }
    const objection = typeof image === "string" ? imageObjection(image, policy) : undefined;
    if (objection) findings.push({ at: [...at, "image"], message: objection });
  }
  const parsed = v.safeParse(RawService, value);
  if (!parsed.success) {
    for (const issue of parsed.issues) {
      const path = (issue.path ?? []).map((item) => item.key as string | number);
      // A list where a map is meant is said once, not once for each key that is not in it.
      if (findings.some((one) => one.message === "must be a map" && isBelow([...at, ...path], one.at))) continue;
      const missing = issue.input === undefined && path.length > 0;
      const message = missing ? "is required" : path[0] === "replicas" ? `must be ${REPLICAS_RANGE}` : issue.message;
      findings.push({
        at: [...at, ...path],
        message,
        expected: path[0] === "replicas" ? REPLICAS_RANGE : (issue.expected ?? issue.type),
        received: kindOf(issue.input),
      });
    }
    return undefined;
  }
  if (parsed.output.schedule !== undefined && isMap(value)) {
    for (const key of NOT_FOR_JOBS.filter((one) => Object.hasOwn(value as object, one)))
      findings.push({
        at: [...at, key],
        onKey: true,
        message: "is not for a service with a schedule: it runs to its end",
      });
  }
  limitFindings(parsed.output, at, policy, findings);
  portFindings(parsed.output, at, hostPorts, findings);
  volumeFindings(parsed.output, at, policy, findings);
  if (findings.length > 0) return undefined;
  const { volumes, ...rest } = parsed.output;
  const mounts = volumes.map((mount) =>
    mount.kind === "bind" ? { ...mount, source: bindPath(mount.source, policy) ?? mount.source } : mount,
  );
  return serviceOf({ ...rest, volumes: mounts });
}

/** What a service depends on must be in the file, and must not depend on it in turn. */
function dependencyFindings(services: Record<string, unknown>, findings: Finding[]): void {
  const needs = new Map<string, readonly string[]>();
  for (const [name, service] of Object.entries(services)) {
    const list = isMap(service) && Array.isArray(service["dependsOn"]) ? service["dependsOn"] : [];
    const names = list.filter((one) => typeof one === "string");
    needs.set(name, names);
    list.forEach((one, index) => {
      if (typeof one === "string" && !Object.hasOwn(services, one))
        findings.push({ at: ["services", name, "dependsOn", index], message: "is no service of this file" });
      const needed = typeof one === "string" && Object.hasOwn(services, one) ? services[one] : undefined;
      if (isMap(needed) && needed["schedule"] !== undefined)
        findings.push({ at: ["services", name, "dependsOn", index], message: "has a schedule: it is never ready" });
    });
  }
  for (const name of needs.keys()) {
    const reached = new Set<string>();
    const open = [...(needs.get(name) ?? [])];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      open.push(...(needs.get(next) ?? []));
    }
    if (reached.has(name))
      findings.push({ at: ["services", name, "dependsOn"], message: "leads back to the service itself" });
  }
}

/** Compose's list form: each item is `NAME=value`. */
function envOfList(list: readonly unknown[], at: readonly string[], findings: Finding[]): Record<string, string> {
  const env: Record<string, string> = {};
  list.forEach((item, index) => {
    const place = [...at, "env", index];
    const text = typeof item === "string" ? item : "";
    const split = text.indexOf("=");
    const name = text.slice(0, Math.max(split, 0));
    if (split < 0) findings.push({ at: place, message: "must be NAME=value", received: kindOf(item) });
    else if (!ENV_NAME.test(name)) findings.push({ at: place, message: "does not begin with the name of a variable" });
    else if (Object.hasOwn(env, name)) findings.push({ at: place, message: "names a variable again" });
    else env[name] = text.slice(split + 1);
  });
  return env;
}

function volumeFindings(service: RawService, at: readonly string[], policy: ConfigPolicy, findings: Finding[]): void {
  const paths = new Set<string>();
  service.volumes.forEach((mount, index) => {
    const place = [...at, "volumes", index];
    if (paths.has(mount.path)) findings.push({ at: place, message: "leads to the same path as another one" });
    paths.add(mount.path);
    if (mount.kind === "bind" && bindPath(mount.source, policy) === undefined)
      findings.push({ at: place, message: bindRefusal(policy) });
  });
}

function limitFindings(service: RawService, at: readonly string[], policy: ConfigPolicy, findings: Finding[]): void {
  const limits = [
    ["memory", service.resources.memory, policy.maxMemoryBytes],
    ["cpus", service.resources.cpus, policy.maxCpus],
    ["pids", service.resources.pids, policy.maxPids],
  ] as const;
  for (const [key, asked, limit] of limits) {
    if (asked > limit)
      findings.push({ at: [...at, "resources", key], message: `must be at most ${limit}`, received: String(asked) });
  }
}

function portFindings(
  service: RawService,
  at: readonly string[],
  hostPorts: Map<number, string>,
  findings: Finding[],
): void {
  const seen = new Set<number>();
  service.ports.forEach(({ container, host }, index) => {
    const place = [...at, "ports", index];
    if (seen.has(container)) findings.push({ at: place, message: `names the container port ${container} again` });
    seen.add(container);
    if (host === null) return;
    const owner = hostPorts.get(host);
    if (owner !== undefined)
      findings.push({ at: place, message: `pins the host port ${host}, which ${owner} pins already` });
    else hostPorts.set(host, String(at[1]));
    const most = Math.max(service.replicas ?? 1, service.scale?.max ?? 0);
    if (most > 1)
      findings.push({
        at: place,
        message: `pins the host port ${host}, so there can be one replica only`,
        received: `${most} replicas`,
      });
  });
  const { health, scale } = service;
  const checked = health?.tcp ?? health?.port;
  if (checked !== undefined && !seen.has(checked))
    findings.push({ at: [...at, "health"], message: `checks the port ${checked}, which is not one of ports` });
  if (health?.http !== undefined && checked === undefined && seen.size === 0)
    findings.push({ at: [...at, "health"], message: "needs a port to ask: there are no ports" });
  if (scale !== undefined && (scale.on.inFlight !== undefined || scale.toZeroAfter !== undefined) && seen.size === 0)
    findings.push({ at: [...at, "scale"], message: "counts requests, but the service has no ports" });
}

/** The unknown keys of a service and of the maps in it. */
function keysBelow(value: Record<string, unknown>, path: string, at: readonly string[], findings: Finding[]): void {
  const known = KNOWN_KEYS[path];
  if (known === undefined) return;
  unknownKeys(value, known, at, findings);
  for (const key of known) {
    const inner = value[key];
    const below = path === "" ? key : `${path}/${key}`;
    if (Array.isArray(inner) && KNOWN_KEYS[below] !== undefined)
      findings.push({ at: [...at, key], message: "must be a map", expected: "a map", received: "a list" });
    if (isMap(inner) && KNOWN_KEYS[below] !== undefined) keysBelow(inner, below, [...at, key], findings);
  }
}

function unknownKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  at: readonly string[],
  findings: Finding[],
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const meant = suggest(key, known);
    const message = meant ? `is not a known key: did you mean ${meant}?` : "is not a known key";
    findings.push({ at: [...at, key], onKey: true, message, expected: `one of ${known.join(", ")}` });
  }
}

function isBelow(at: Finding["at"], above: Finding["at"]): boolean {
  return above.every((key, depth) => at[depth] === key);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What kind of value was given: the value itself is not repeated, it may be a secret. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}
