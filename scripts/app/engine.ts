import { connectEngine } from "#infra/docker/engine.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { kubernetesEngine } from "#infra/kubernetes/engine.ts";
import { processEngine } from "#infra/processes/engine.ts";
import type { ClientTls } from "#infra/tls.ts";

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

/** What is said to whom writes something else. */
export const ENGINE_FORM =
  "expected docker:unix:///…, docker:tcp://host:port, docker:ssh://user@host, process:, process:/folder, or kubernetes: with ?kubeconfig=…&context=…&namespace=…";

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
    signingKey,
    tls,
  }: { readonly cluster: string; readonly signingKey: string | undefined; readonly tls: ClientTls },
): Engine {
  switch (address.driver) {
    case "docker":
      return connectEngine({ host: address.host, cluster, signingKey, tls });
    case "process":
      return processEngine({ cluster, ...(address.directory === undefined ? {} : { directory: address.directory }) });
    case "kubernetes":
      return kubernetesEngine({ ...address, cluster, signingKey });
  }
}
