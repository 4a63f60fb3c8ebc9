/** Jars by Maven, which knows mirrors and proxies, each checked against its pinned SHA-256. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { boundedDownload, progressOf } from "./bounded-download.ts";
import { cacheDir, install } from "./cache.ts";
import { javaCommand, programOrPackage } from "./packages.ts";
import type { ObtainContext } from "./recipe.ts";
import { UnavailableError } from "./types.ts";

const WITHIN_MS = 600_000;
const ATTEMPTS = 2;
const PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/** A program in Java, as the jars it runs on. */
export interface JarProgram {
  /** For people: `Kafka`. */
  readonly title: string;
  /** In the cache. */
  readonly name: string;
  readonly version: string;
  /** SHA-256 by coordinates, `group:artifact:version`. */
  readonly jars: Readonly<Record<string, string>>;
  /** Of all jars together. */
  readonly megabytes: number;
  /** What it is known by to Maven, without the version: the command that is said where it cannot be had. */
  readonly artifact: string;
}

/** What it is started with. */
export interface JarCommand {
  readonly java: string;
  readonly classPath: string;
}

/** Finds or downloads Java and the jars. Throws `UnavailableError` when they cannot be had, or are not the pinned ones. */
export async function jarProgram(context: ObtainContext, program: JarProgram): Promise<JarCommand> {
  const folder = await install(program.name, program.version, context, async (target) => {
    // Before Java is looked for: Debian's Maven brings one.
    const maven = await programOrPackage(context, { program: "mvn", apt: "maven", brew: "maven" });
    await download(context, program, maven, await javaCommand(context), target);
  });
  return { java: await javaCommand(context), classPath: join(folder, "libs", "*") };
}

async function download(
  context: ObtainContext,
  { title, version, jars, megabytes, artifact }: JarProgram,
  maven: string,
  java: string,
  folder: string,
): Promise<void> {
  const libs = join(folder, "libs");
  const pom = join(folder, "pom.xml");
  const what = `downloading ${title} ${version} (${megabytes} MB in ${Object.keys(jars).length} jars, Maven)`;
  writeFileSync(pom, pomOf(libs, jars));
  const args = [
    ...["--batch-mode", "--quiet", "--file", pom, `${PLUGIN}:copy`, "-Dmaven.artifact.threads=10"],
    ...["-Dmaven.wagon.rto=30000", "-Dmaven.wagon.http.retryHandler.count=3"],
  ];
  const env = {
    // It runs for seconds: the second compiler would cost more than it saves.
    MAVEN_OPTS: `${process.env["MAVEN_OPTS"] ?? ""} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC`.trim(),
    // Maven looks for Java by itself, and would not find the one in the cache.
    ...(java.startsWith(cacheDir()) ? { JAVA_HOME: join(java, "..", "..") } : {}),
  };
  for (let attempt = 1; ; attempt++) {
    context.doing(what);
    try {
      await boundedDownload(
        {
          folder: libs,
          maxBytes: megabytes * 2_000_000,
          withinMs: WITHIN_MS,
          onBytes: (bytes) => bytes > 0 && context.doing(what, progressOf(bytes, megabytes)),
        },
        (signal) => context.run(maven, args, { env, signal }),
      );
      await verify(libs, jars);
      return;
    } catch (error) {
      // What came is in Maven's own cache: the next attempt goes on from there.
      await rm(libs, { recursive: true, force: true });
      if (attempt < ATTEMPTS && !(error instanceof WrongJarError)) continue;
      throw new UnavailableError(
        `${title} could not be downloaded: ${error instanceof Error ? error.message : String(error)}`,
        error instanceof WrongJarError
          ? `rm -r ~/.m2/repository/${error.coordinates.split(":").slice(0, 2).join("/").replaceAll(".", "/")}`
          : `mvn dependency:get -Dartifact=${artifact}:${version}`,
        { cause: error },
      );
    }
  }
}

/** A jar whose bytes are not those that are pinned. */
class WrongJarError extends Error {
  override readonly name = "WrongJarError";
  readonly coordinates: string;

  constructor(coordinates: string, expected: string, received: string) {
    super(`${coordinates} is refused as its SHA-256 is wrong: expected ${expected}, received ${received}`);
    this.coordinates = coordinates;
  }
}

async function verify(libs: string, jars: JarProgram["jars"]): Promise<void> {
  for (const [coordinates, expected] of Object.entries(jars)) {
    const [, artifact = "", version = ""] = coordinates.split(":");
    const bytes = await readFile(join(libs, `${artifact}-${version}.jar`));
    const received = createHash("sha256").update(bytes).digest("hex");
    if (received !== expected) throw new WrongJarError(coordinates, expected, received);
  }
}

/** Copies the listed jars and nothing they name. */
function pomOf(libs: string, jars: JarProgram["jars"]): string {
  const items = Object.keys(jars).map((coordinates) => {
    const [group, artifact, version] = coordinates.split(":");
    return `<artifactItem><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></artifactItem>`;
  });
  const [group, artifact, version] = PLUGIN.split(":");
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>troupe</groupId><artifactId>jars</artifactId><version>1</version>
  <build><plugins><plugin>
    <groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
    <configuration>
      <outputDirectory>${libs}</outputDirectory>
      <artifactItems>
${items.join("\n")}
      </artifactItems>
    </configuration>
  </plugin></plugins></build>
</project>
`;
}
