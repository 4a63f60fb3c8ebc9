/**
 * Debian's packages, installed together: what several servers ask for at about the same time is one `apt-get install`, since each call
 * takes the package manager's lock, and its unpacking and its triggers, for itself.
 */
import { readdirSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { oneAtATime } from "./cache.ts";
import { STACK_VARIABLE } from "./child.ts";
import type { ObtainContext } from "./recipe.ts";

/** Servers that start together ask within moments; the first one waits this long for the others. */
const GATHER_MS = 250;
const LISTS = "/var/lib/apt/lists";
const FRESH_MS = 3_600_000;
const WITHIN_MS = 900_000;

/** One who asks, and what for. */
interface Request {
  readonly context: ObtainContext;
  readonly packages: readonly string[];
  readonly settled: PromiseWithResolvers<void>;
}

let gathering: Request[] | undefined;

/**
 * Installs packages; resolves when they are there. Everything that is asked for within a quarter of a second goes in one call. When that
 * call fails, each request is tried by itself, so that a package that does not exist takes nothing else with it.
 * Throws `CommandError` with the last lines of `apt-get`.
 */
export function aptInstall(context: ObtainContext, packages: readonly string[]): Promise<void> {
  const request: Request = { context, packages, settled: Promise.withResolvers<void>() };
  if (gathering === undefined) {
    const batch = (gathering = [request]);
    void delay(GATHER_MS).then(() => {
      gathering = undefined;
      return installTogether(batch);
    });
  } else gathering.push(request);
  context.waiting("what else is to be installed");
  return request.settled.promise;
}

async function installTogether(batch: readonly Request[]): Promise<void> {
  const [first] = batch;
  if (first === undefined) return;
  const everyone = spokenTo(batch);
  try {
    await oneAtATime("apt", everyone, () =>
      install(
        everyone,
        batch.flatMap((each) => each.packages),
      ),
    );
    for (const each of batch) each.settled.resolve();
  } catch (error) {
    if (batch.length === 1) first.settled.reject(error);
    else for (const each of batch) await installTogether([each]);
  }
}

async function install(context: ObtainContext, packages: readonly string[]): Promise<void> {
  const wanted = [...new Set(packages)];
  // Not marked as ours: a package manager that lost its owner must finish, and we wait for its lock.
  const options = { env: { DEBIAN_FRONTEND: "noninteractive", [STACK_VARIABLE]: "" }, withinMs: WITHIN_MS };
  const patient = [
    "-qq",
    "-o",
    "DPkg::Lock::Timeout=300",
    "-o",
    "Acquire::Retries=3",
    "-o",
    "Acquire::http::Timeout=30",
  ];
  const update = (): Promise<string> => {
    context.doing("reading Debian's package lists");
    return context.run("apt-get", ["update", ...patient], options);
  };
  const installing = (): Promise<string> => {
    context.doing(`installing ${wanted.join(" ")} with apt-get`);
    return context.run("apt-get", ["install", "-y", ...patient, "--no-install-recommends", ...wanted], options);
  };
  if (!listsAreFresh()) {
    await update();
    await installing();
    return;
  }
  try {
    await installing();
  } catch {
    // Lists of this hour may name a version that has just been replaced.
    await update();
    await installing();
  }
}

function listsAreFresh(): boolean {
  try {
    const lists = readdirSync(LISTS).filter((name) => name.endsWith("_Packages") || name.includes("_Packages."));
    return lists.some((name) => statSync(`${LISTS}/${name}`).mtimeMs > Date.now() - FRESH_MS);
  } catch {
    return false;
  }
}

/** Speaks to all who wait; the command's output goes to the log of the first. */
function spokenTo(batch: readonly Request[]): ObtainContext {
  const [first] = batch;
  if (first === undefined) throw new RangeError("Nobody asks for anything");
  return {
    doing: (what, progress) => {
      for (const { context } of batch) context.doing(what, progress);
    },
    waiting: (reason) => {
      for (const { context } of batch) context.waiting(reason);
    },
    run: (command, args, options) => first.context.run(command, args, options),
  };
}
