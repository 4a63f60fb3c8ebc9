import { join } from "node:path";
import { install } from "#infra/stack/cache.ts";

/**
 * The interpreter of a virtual environment that holds a Python package. It stays in the cache of all checkouts: the first run installs
 * it. Programs are run as modules of it (`-m`), as their own files name the folder they were installed in.
 * @throws {Error} with what was said, when it cannot be installed.
 */
export async function pythonWith(name: string, version: string): Promise<string> {
  const context = {
    doing: () => undefined,
    waiting: () => undefined,
    run: (command: string, args: readonly string[]) => run([command, ...args]),
  };
  const folder = await install(`python-${name}`, version, context, async (target) => {
    await run(["python3", "-m", "venv", target]);
    await run([join(target, "bin", "python"), "-m", "pip", "install", "--quiet", `${name}==${version}`]);
  });
  return join(folder, "bin", "python");
}

/** Why there can be no such environment here; `undefined`: there can. */
export function pythonMissing(): string | undefined {
  if (Bun.which("python3") === null) return "python3 is not there";
  const { exitCode } = Bun.spawnSync(["python3", "-c", "import ensurepip, venv"], {
    stdout: "ignore",
    stderr: "ignore",
  });
  return exitCode === 0 ? undefined : "python3 cannot make virtual environments";
}

async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe" });
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`Cannot run ${command.join(" ")}: ${said.slice(-2_000)}`);
  return out;
}
