/** Where a measured start runs: this machine as it is, or a copy of its files without what the stack would install. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "#infra/stack/command.ts";

/** Runs commands somewhere. */
export interface Machine extends AsyncDisposable {
  /** For people. */
  readonly about: string;
  /** The program and arguments that run `command` there, in `folder`. */
  enter(folder: string, command: readonly string[]): readonly string[];
}

/** This machine. */
export function thisMachine(): Machine {
  return {
    about: "the system's packages as they are",
    enter: (_folder, command) => command,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Packages that the stack installs by itself. */
const PURGED = ["rabbitmq-server", "erlang-base", "docker.io", "containerd", "runc", "redis-server", "redis-tools"];

/**
 * The files of this machine as the lower layer of an overlay, without the packages. Every command mounts it anew in a mount namespace of
 * its own, so that nothing outside sees it and nothing of it outlives the command. The folder of the measurement is the machine's own:
 * Docker cannot keep its layers on an overlay. Needs Linux and root.
 */
export async function bareMachine(folder: string): Promise<Machine> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    throw new Error("--purge needs Linux and root: it mounts an overlay");
  const layers = join(folder, "layers");
  for (const name of ["upper", "work", "root"]) mkdirSync(join(layers, name), { recursive: true });
  const root = join(layers, "root");
  const script = join(folder, "enter.sh");
  writeFileSync(
    script,
    [
      "set -e",
      `mount -t overlay overlay -o lowerdir=/,upperdir=${layers}/upper,workdir=${layers}/work ${root}`,
      `for each in proc sys dev; do mount --rbind /$each ${root}/$each; done`,
      `mkdir -p ${root}${folder} && mount --bind ${folder} ${root}${folder}`,
      `exec chroot ${root} sh -c 'cd "$0" && exec "$@"' "$@"`,
      "",
    ].join("\n"),
  );
  const enter: Machine["enter"] = (where, command) => ["unshare", "--mount", "sh", script, where, ...command];
  const purge = [
    `apt-get purge -y -qq ${PURGED.join(" ")}`,
    "apt-get clean",
    "rm -rf /var/lib/apt/lists/* /var/run/docker.sock",
  ].join(" && ");
  const [program = "", ...args] = enter("/", ["sh", "-c", purge]);
  await run(program, args, { env: { DEBIAN_FRONTEND: "noninteractive" } });
  return {
    about: `without ${PURGED.join(", ")}`,
    enter,
    [Symbol.asyncDispose]: () => {
      rmSync(layers, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}
