import * as v from "valibot";
import type { ConfigIssue, Finding } from "#infra/yaml/issue.ts";
import { readYaml } from "#infra/yaml/read-yaml.ts";
import { suggest } from "#infra/yaml/suggest.ts";
import { SERVICE_NAME } from "../service/messages.ts";
import type { ServiceConfig } from "../service/messages.ts";
import type { ConfigServices } from "./messages.ts";
import { DEFAULT_POLICY, imageObjection } from "./policy.ts";
import type { ConfigPolicy } from "./policy.ts";
import { ENV_NAME, FUTURE_KEYS, MAX_SERVICES, RawService, REPLICAS_RANGE, RESOURCE_KEYS, SERVICE_KEYS } from "./raw.ts";

/** A configuration that may be applied, or every reason why not, in order of their place. */
export type ParsedConfig =
  | { readonly ok: true; readonly services: ConfigServices }
  | { readonly ok: false; readonly issues: readonly ConfigIssue[] };

/**
 * Reads a configuration file. An allow-list: what is not named in the schema is an error, never passed on to the
 * engine. All errors at once, each with line, column and JSON pointer.
 */
export function parseConfig(text: string, policy: ConfigPolicy = DEFAULT_POLICY): ParsedConfig {
  const read = readYaml(text);
  if ("issues" in read) return { ok: false, issues: read.issues };
  const findings: Finding[] = [];
  const services = checkFile(read.file.value, policy, findings);
  if (findings.length === 0) return { ok: true, services };
  const issues = findings.map((finding) => read.file.locate(finding));
  return { ok: false, issues: issues.sort((a, b) => a.line - b.line || a.column - b.column) };
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
  unknownKeys(value, ["services"], [], findings);
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
    const service = checkService(services[name], at, policy, hostPorts, findings);
    if (service) checked[name] = service;
  }
  return checked;
}

function checkService(
  value: unknown,
  at: readonly string[],
  policy: ConfigPolicy,
  hostPorts: Map<number, string>,
  findings: Finding[],
): ServiceConfig | undefined {
  if (isMap(value)) {
    unknownKeys(value, SERVICE_KEYS, at, findings);
    if (isMap(value["resources"])) unknownKeys(value["resources"], RESOURCE_KEYS, [...at, "resources"], findings);
    if (isMap(value["env"])) {
      for (const name of Object.keys(value["env"])) {
        if (!ENV_NAME.test(name))
          findings.push({ at: [...at, "env", name], onKey: true, message: "is not the name of a variable" });
      }
    }
    const image = value["image"];
    const objection = typeof image === "string" ? imageObjection(image, policy) : undefined;
    if (objection) findings.push({ at: [...at, "image"], message: objection });
  }
  const parsed = v.safeParse(RawService, value);
  if (!parsed.success) {
    for (const issue of parsed.issues) {
      const path = (issue.path ?? []).map((item) => item.key as string | number);
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
  limitFindings(parsed.output, at, policy, findings);
  portFindings(parsed.output, at, hostPorts, findings);
  const { replicas, resources, ...spec } = parsed.output;
  return {
    replicas,
    spec: { ...spec, resources: { memoryBytes: resources.memory, cpus: resources.cpus, pids: resources.pids } },
  };
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
    if (service.replicas > 1)
      findings.push({
        at: place,
        message: `pins the host port ${host}, so there can be one replica only`,
        received: `${service.replicas} replicas`,
      });
  });
}

function unknownKeys(
  value: Record<string, unknown>,
  known: readonly string[],
  at: readonly string[],
  findings: Finding[],
): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const future = known === SERVICE_KEYS && (FUTURE_KEYS as readonly string[]).includes(key);
    const meant = suggest(key, known);
    const message = future
      ? "is not supported yet"
      : meant
        ? `is not a known key: did you mean ${meant}?`
        : "is not a known key";
    findings.push({ at: [...at, key], onKey: true, message, expected: `one of ${known.join(", ")}` });
  }
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
