import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cacheDir } from "#infra/stack/cache.ts";
import { run } from "#infra/stack/command.ts";
import { eventually } from "#infra/testing/eventually.ts";

/** A Kubernetes API server of one's own, with etcd and nothing else: it validates what it is given. */
export interface KubeApi extends AsyncDisposable {
  readonly kubeconfig: string;
}

/** The program that holds etcd and kube-apiserver, where the cache has it. */
export function kubeProgram(): string | undefined {
  const folder = existsSync(cacheDir())
    ? readdirSync(cacheDir()).find((name) => name.startsWith("kubernetes-"))
    : undefined;
  const program = folder === undefined ? undefined : join(cacheDir(), folder, "kube");
  return program !== undefined && existsSync(program) ? program : undefined;
}

/** Starts them on free ports. */
export async function startKubeApi(program: string): Promise<KubeApi> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-kube-"));
  const children: Bun.Subprocess[] = [];
  const at = (name: string): string => join(folder, name);
  const start = (...args: string[]): void =>
    void children.push(
      Bun.spawn([program, ...args], {
        cwd: folder,
        stdout: Bun.file(at(`${args[0]}.log`)),
        stderr: Bun.file(at(`${args[0]}.err`)),
      }),
    );
  const stop = async (): Promise<void> => {
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [api, client, peer] = freePorts(3);
    await run("openssl", ["genrsa", "-out", at("sa.key"), "2048"]);
    await run("openssl", ["rsa", "-in", at("sa.key"), "-pubout", "-out", at("sa.pub")]);
    const token = crypto.randomUUID();
    await writeFile(at("tokens.csv"), `${token},admin,admin,"system:masters"\n`);
    const etcd = `http://127.0.0.1:${client}`;
    start(
      "etcd",
      ...["--data-dir", "etcd", "--unsafe-no-fsync", "--listen-client-urls", etcd, "--advertise-client-urls", etcd],
      ...["--listen-peer-urls", `http://127.0.0.1:${peer}`],
    );
    start(
      "kube-apiserver",
      ...["--etcd-servers", etcd, "--secure-port", String(api), "--bind-address", "127.0.0.1", "--cert-dir", "certs"],
      ...["--service-account-key-file", "sa.pub", "--service-account-signing-key-file", "sa.key"],
      ...["--service-account-issuer", "https://kubernetes.default.svc", "--token-auth-file", "tokens.csv"],
      ...["--authorization-mode", "RBAC", "--service-cluster-ip-range", "10.96.0.0/16", "--allow-privileged"],
    );
    const server = `https://127.0.0.1:${api}`;
    const config = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "c", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
      "current-context": "x",
    };
    await writeFile(at("kubeconfig"), JSON.stringify(config));
    await eventually("the API server is ready", 60_000, async () => {
      const answer = await fetch(`${server}/readyz`, {
        headers: { authorization: `Bearer ${token}` },
        tls: { rejectUnauthorized: false },
      }).catch(() => undefined);
      return answer?.status === 200;
    });
    return { kubeconfig: at("kubeconfig"), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Ports that were free a moment ago: the programs cannot be asked for any free one. */
function freePorts(count: number): readonly number[] {
  const listeners = Array.from({ length: count }, () =>
    Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } }),
  );
  const ports = listeners.map(({ port }) => port);
  for (const listener of listeners) listener.stop(true);
  return ports;
}
