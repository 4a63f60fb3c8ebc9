/**
 * Measures the first minute: clones this checkout, starts it with an empty home and an empty cache until it is ready, stops it, and starts
 * it again. With `--purge` the system's packages are missing too, in an overlay of the machine's files that nothing else sees.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { availableParallelism, homedir, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "#infra/stack/command.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { bareMachine, type Machine, thisMachine } from "./machine.ts";
import { startUntilReady } from "./until-ready.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const USAGE = `bun run bare-start   clones the last commit and measures its first and its second start

  --purge      without RabbitMQ, Docker, Redis (Linux, as root; in an overlay: nothing of this machine changes)
  --keep       keeps the folder, for its logs
  --help       this text`;

/** What tells registries and mirrors; no cache. */
const CONFIGURATION = [".npmrc", ".bunfig.toml", ".config/pip", ".pip", ".m2/settings.xml", ".config/go"];

/** Runs both starts and prints what they say; answers 1 when one of them does not get ready. */
export async function bareStart(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      purge: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "troupe-bare-"));
  const checkout = join(folder, "troupe");
  try {
    await run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, checkout]);
    const env = environment(folder);
    await using machine: Machine = values.purge ? await bareMachine(folder) : thisMachine();
    console.log(`${availableParallelism()} cores, load ${load()}; ${machine.about}; empty home and cache\n`);
    const lines: string[] = [];
    for (const name of ["first start", "second start"]) {
      console.log(`== ${name}`);
      const measured = await startUntilReady(machine, checkout, env, () => hasClasses(env["HOME"] ?? ""));
      if (measured === undefined) return 1;
      lines.push(
        `${name}: ${seconds(measured.ms)}, processor time ${seconds(measured.processorMs)}, load now ${load()}`,
      );
      console.log(`== ${lines.at(-1)}\n`);
    }
    console.log(lines.join("\n"));
    return 0;
  } finally {
    if (values.keep) console.log(`kept ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

/** An empty home that is told of the same registries, no cache, and no server that runs elsewhere. */
function environment(folder: string): Record<string, string> {
  const home = join(folder, "home");
  mkdirSync(home);
  for (const name of CONFIGURATION) {
    const from = join(homedir(), name);
    if (!existsSync(from)) continue;
    mkdirSync(dirname(join(home, name)), { recursive: true });
    cpSync(from, join(home, name), { recursive: true });
  }
  const named = new Set(
    Object.values(RECIPES).flatMap((recipe) => [recipe.variable, ...Object.keys(recipe.companions ?? {})]),
  );
  // A folder that holds nothing but servers is no part of a bare machine.
  const path = (process.env["PATH"] ?? "")
    .split(":")
    .filter((each) => each !== "" && !each.includes("node_modules"))
    .filter((each) => !["temporal", "nats-server"].some((program) => existsSync(join(each, program))));
  const kept = Object.entries(process.env).filter(
    ([key]) => !named.has(key) && !key.startsWith("TROUPE_") && !key.startsWith("npm_lifecycle") && !CACHES.has(key),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), HOME: home, PATH: path.join(":") };
}

const CACHES = new Set(["BUN_INSTALL_CACHE_DIR", "XDG_CACHE_HOME", "PIP_CACHE_DIR", "GOMODCACHE", "GOCACHE", "GOPATH"]);

/** Kafka's classes are recorded after the first start, for the next. */
function hasClasses(home: string): boolean {
  const cache = join(home, ".cache", "troupe");
  return existsSync(cache) && readdirSync(cache).some((name) => name.startsWith("kafka-classes"));
}

function load(): string {
  return loadavg()
    .slice(0, 2)
    .map((each) => each.toFixed(1))
    .join(" ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
