import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { EngineError } from "../engines/errors.ts";

/** Where a cluster is, and which part of it is meant. */
export interface ClusterAddress {
  /** A file as `kubectl` reads it. Default: `KUBECONFIG`, else `~/.kube/config`; in a pod without either, the pod's own account. */
  readonly kubeconfig?: string | undefined;
  /** Default: the file's current one. */
  readonly context?: string | undefined;
  /** Default: the context's, else `default`. */
  readonly namespace?: string | undefined;
}

/** How to speak to a cluster's API server. */
export interface ClusterAccess {
  /** As in `https://127.0.0.1:6443`. */
  readonly server: string;
  /** The context's name. */
  readonly name: string;
  readonly namespace: string;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** What tells who we are; asked for before each call, since tokens change. */
  authorization(): Promise<string | undefined>;
}

interface KubeConfigFile {
  readonly "current-context"?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context: { cluster: string; user: string; namespace?: string };
  }[];
  readonly clusters?: readonly { readonly name: string; readonly cluster: Readonly<Record<string, unknown>> }[];
  readonly users?: readonly { readonly name: string; readonly user: Readonly<Record<string, unknown>> }[];
}

interface ExecPlugin {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
}

const ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
const TOKEN_GOOD_FOR_MS = 60_000;

/**
 * Reads how to speak to a cluster: certificates, tokens, token files, and commands that give a token (`exec`).
 * @throws {EngineError} `unavailable`: there is no such file or context.
 */
export async function readAccess({ kubeconfig, context, namespace }: ClusterAddress): Promise<ClusterAccess> {
  const named = kubeconfig ?? process.env["KUBECONFIG"]?.split(":")[0];
  const path = named || join(homedir(), ".kube", "config");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    const inside = named ? undefined : await podAccess(namespace);
    if (inside) return inside;
    throw new EngineError("unavailable", `Cannot speak to a Kubernetes cluster as ${path} cannot be read`);
  }
  const file = parse(text) as KubeConfigFile;
  const chosen = context ?? file["current-context"];
  const found = file.contexts?.find(({ name }) => name === chosen)?.context;
  const cluster = file.clusters?.find(({ name }) => name === found?.cluster)?.cluster;
  if (chosen === undefined || !found || !cluster)
    throw new EngineError(
      "unavailable",
      `Cannot speak to a Kubernetes cluster as ${path} has no context ${chosen ?? ""}`,
    );
  const user = file.users?.find(({ name }) => name === found.user)?.user ?? {};
  const folder = dirname(path);
  const [ca, cert, key] = await Promise.all([
    pem(folder, cluster, "certificate-authority"),
    pem(folder, user, "client-certificate"),
    pem(folder, user, "client-key"),
  ]);
  return {
    server: String(cluster["server"]).replace(/\/+$/, ""),
    name: chosen,
    namespace: namespace ?? found.namespace ?? "default",
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(cluster["insecure-skip-tls-verify"] === true ? { rejectUnauthorized: false } : {}),
    },
    authorization: authorizationOf(folder, user),
  };
}

/** The account that a pod was given. */
async function podAccess(namespace: string | undefined): Promise<ClusterAccess | undefined> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(ACCOUNT, name), "utf8").catch(() => undefined);
  const [ca, own] = await Promise.all([read("ca.crt"), read("namespace")]);
  if (!host || ca === undefined) return undefined;
  return {
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    name: "kubernetes",
    namespace: namespace ?? (own?.trim() || "default"),
    tls: { ca },
    authorization: remembered(async () => `Bearer ${(await read("token"))?.trim() ?? ""}`),
  };
}

function authorizationOf(folder: string, user: Readonly<Record<string, unknown>>): ClusterAccess["authorization"] {
  const { token, tokenFile, exec, username, password } = user;
  if (typeof token === "string") return async () => `Bearer ${token}`;
  if (typeof tokenFile === "string")
    return remembered(async () => `Bearer ${(await readFile(resolve(folder, tokenFile), "utf8")).trim()}`);
  if (typeof username === "string" && typeof password === "string")
    return async () => `Basic ${btoa(`${username}:${password}`)}`;
  if (exec !== undefined) return remembered(async () => `Bearer ${await tokenBy(exec as ExecPlugin)}`);
  return async () => undefined;
}

/** What the command of an `exec` user prints. */
async function tokenBy({ command, args = [], env = [] }: ExecPlugin): Promise<string> {
  const more = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  const asked = Bun.spawn([command, ...args], { env: { ...process.env, ...more }, stdout: "pipe", stderr: "ignore" });
  const answer = (await new Response(asked.stdout).json()) as { status?: { token?: string } };
  if (answer.status?.token === undefined) throw new EngineError("unavailable", `${command} gave no token`);
  return answer.status.token;
}

function remembered(read: () => Promise<string>): () => Promise<string> {
  let last: { readonly value: Promise<string>; readonly until: number } | undefined;
  return async () => {
    if (last === undefined || last.until < Date.now()) last = { value: read(), until: Date.now() + TOKEN_GOOD_FOR_MS };
    last.value.catch(() => (last = undefined));
    return await last.value;
  };
}

async function pem(folder: string, from: Readonly<Record<string, unknown>>, name: string): Promise<string | undefined> {
  const data = from[`${name}-data`];
  if (typeof data === "string") return Buffer.from(data, "base64").toString();
  const path = from[name];
  return typeof path === "string" ? await readFile(resolve(folder, path), "utf8") : undefined;
}
