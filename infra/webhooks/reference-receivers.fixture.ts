/**
 * Receivers of webhooks that verify with the libraries of Standard Webhooks, each in a process of its own language. All
 * speak as `receiver.fixture.py` says. What they need is pinned, and kept in the cache of the servers' programs.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { install } from "#infra/stack/cache.ts";
import { run, which } from "#infra/stack/command.ts";

/** A library that verifies what we sign. */
export interface ReferenceLibrary {
  readonly name: string;
  /** What this machine lacks to run it; `undefined`: nothing. */
  readonly missing: string | undefined;
  /** Paths of the receiver that verify, and the scheme each looks at. */
  readonly paths: readonly { readonly path: string; readonly scheme: "v1" | "v1a" }[];
  start(keys: { readonly secret: string; readonly publicKey: string }): Promise<ReferenceReceiver>;
}

/** A running receiver. */
export interface ReferenceReceiver extends AsyncDisposable {
  /** As in `http://127.0.0.1:4711`. */
  readonly url: string;
}

const HERE = import.meta.dirname;
const GO_FOLDER = join(HERE, "go-receiver");
const QUIET = { doing: () => undefined, waiting: () => undefined, run };

const python = which("python3");
const go = which("go", ["/usr/local/go/bin", "/opt/homebrew/bin"]);

/** Every library that there is a receiver for. */
export const REFERENCE_LIBRARIES: readonly ReferenceLibrary[] = [
  {
    name: "JavaScript",
    missing: undefined,
    paths: [{ path: "/", scheme: "v1" }],
    start: async ({ secret }) => javaScript(secret),
  },
  {
    name: "Python",
    missing: pythonFault(),
    paths: [{ path: "/", scheme: "v1" }],
    start: async ({ secret }) =>
      await started([python ?? "", join(HERE, "receiver.fixture.py"), secret], { PYTHONPATH: await pythonPackages() }),
  },
  {
    name: "Go",
    missing: go === undefined ? "there is no go on the PATH" : undefined,
    paths: [
      { path: "/", scheme: "v1" },
      { path: "/v1a", scheme: "v1a" },
    ],
    start: async ({ secret, publicKey }) => await started([await goReceiver(), secret, publicKey], {}),
  },
];

function javaScript(secret: string): ReferenceReceiver {
  const webhook = new Webhook(secret);
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = Buffer.from(await request.arrayBuffer());
      const headers = Object.fromEntries(request.headers);
      if (new URL(request.url).pathname === "/sign") {
        const at = new Date(Number(headers["webhook-timestamp"]) * 1_000);
        return new Response(webhook.sign(headers["webhook-id"] ?? "", at, body));
      }
      try {
        webhook.verify(body, headers, { jsonParse: false });
        return new Response(null, { status: 204 });
      } catch {
        return new Response(null, { status: 401 });
      }
    },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) };
}

/** Starts a receiver, once it has said its port. It ends with its input, and so with this process at the latest. */
async function started(command: readonly string[], env: Readonly<Record<string, string>>): Promise<ReferenceReceiver> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = (await child.stdout.getReader().read()) as { readonly value?: Uint8Array };
  const port = Number(new TextDecoder().decode(value ?? new Uint8Array()));
  if (!(port > 0)) throw new Error(`Cannot start ${command[0]} as it ended with ${await child.exited}`);
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      await child.stdin.end();
      child.kill();
      await child.exited;
    },
  };
}

function pythonFault(): string | undefined {
  if (python === undefined) return "there is no python3 on the PATH";
  const { exitCode } = Bun.spawnSync([python, "-m", "pip", "--version"], { stdout: "ignore", stderr: "ignore" });
  return exitCode === 0 ? undefined : "python3 has no pip";
}

async function pythonPackages(): Promise<string> {
  const requirements = join(HERE, "requirements.fixture.txt");
  return await install("webhook-receiver-python", versionOf([requirements]), QUIET, async (folder) => {
    const args = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:"];
    await run(python ?? "", ["-m", "pip", "install", ...args, "--target", folder, "--requirement", requirements]);
  });
}

async function goReceiver(): Promise<string> {
  const sources = readdirSync(GO_FOLDER).sort();
  const version = versionOf(sources.map((name) => join(GO_FOLDER, name)));
  const folder = await install("webhook-receiver-go", version, QUIET, async (target) => {
    await run(go ?? "", ["build", "-o", join(target, "receiver"), "."], {
      cwd: GO_FOLDER,
      env: { GOFLAGS: "-buildvcs=false" },
    });
  });
  return join(folder, "receiver");
}

/** Changes with what is in the files. */
function versionOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex").slice(0, 12);
}
