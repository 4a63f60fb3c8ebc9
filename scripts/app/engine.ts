import type { ClientTls } from "#infra/base/tls.ts";
import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { kubernetesEngine } from "#infra/kubernetes/engine.ts";
import { processEngine } from "#infra/processes/engine.ts";

/** Where services run, as `TROUPE_ENGINE` says it. */
export type EngineAddress =
  /** `docker:unix:///…`, `docker:tcp://…`, `docker:ssh://…`; `docker:` alone is the environment's. */
  | { readonly driver: "docker"; readonly host: string | undefined }
  /** `process:`, or `process:/folder`. */
  | { readonly driver: "process"; readonly directory: string | undefined }
  /** `kubernetes:`, with `?kubeconfig=…&context=…&namespace=…`. */
  | {
      readonly driver: "kubernetes";
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
      readonly namespace: string | undefined;
    };

const DOCKER_HOST = /^(?:unix:\/\/\/.+|(?:tcp|http|https|ssh):\/\/[^\s/]+)$/;
const KUBERNETES_KEYS: ReadonlySet<string> = new Set(["kubeconfig", "context", "namespace"]);

/** An engine of this process, and what its host is called; by default what it calls itself. */
export interface NamedEngine {
  readonly name: string | undefined;
  readonly address: EngineAddress;
}

/** What is said to whom writes something else. */
export const ENGINE_FORM =
  "expected docker:unix:///…, docker:tcp://host:port, docker:ssh://user@host, process:, process:/folder, or kubernetes: with ?kubeconfig=…&context=…&namespace=…; or several with their names, as in a=docker:unix:///…,b=docker:ssh://…";

const NAMED = /^(?:([a-z0-9][a-z0-9.-]{0,49})=)?(.+)$/;

/** Reads one address, or several with names of their own, separated by commas; `undefined` where it is something else. */
export function readEngines(text: string): readonly [NamedEngine, ...NamedEngine[]] | undefined {
  const engines = text.split(",").map((part) => {
    const [, name, rest = ""] = NAMED.exec(part.trim()) ?? [];
    return { name, address: readEngineAddress(rest) };
  });
  const good = engines.filter((one): one is NamedEngine => one.address !== undefined);
  const names = new Set(good.map(({ name }) => name));
  if (good.length < engines.length || (good.length > 1 && (names.has(undefined) || names.size < good.length)))
    return undefined;
  const [first, ...others] = good;
  return first === undefined ? undefined : [first, ...others];
}

/** Reads an address; `undefined` where it is none. */
export function readEngineAddress(text: string): EngineAddress | undefined {
  const at = text.indexOf(":");
  const [driver, rest] = [text.slice(0, at), text.slice(at + 1)];
  switch (driver) {
    case "docker":
      if (rest === "") return { driver, host: undefined };
      return DOCKER_HOST.test(rest) && URL.canParse(rest) ? { driver, host: rest } : undefined;
    case "process":
      return rest === "" || rest.startsWith("/") ? { driver, directory: rest === "" ? undefined : rest } : undefined;
    case "kubernetes": {
      if (rest !== "" && !rest.startsWith("?")) return undefined;
      const query = new URLSearchParams(rest);
      if ([...query.keys()].some((key) => !KUBERNETES_KEYS.has(key))) return undefined;
      const of = (key: string): string | undefined => query.get(key) || undefined;
      return { driver, kubeconfig: of("kubeconfig"), context: of("context"), namespace: of("namespace") };
    }
    default:
      return undefined;
  }
}

/** The engine at an address. Connects to nothing yet. */
export function openEngine(
  address: EngineAddress,
  {
    cluster,
    signingKeys,
    tls,
  }: { readonly cluster: string; readonly signingKeys: readonly string[]; readonly tls: ClientTls },
): Engine {
  switch (address.driver) {
    case "docker":
      return connectEngine({ host: address.host, cluster, signingKeys, tls });
    case "process":
      return processEngine({ cluster, ...(address.directory === undefined ? {} : { directory: address.directory }) });
    case "kubernetes":
      return kubernetesEngine({ ...address, cluster, signingKeys });
  }
}
