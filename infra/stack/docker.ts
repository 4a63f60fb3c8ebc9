/** The Docker engine that the scaler drives: the machine's own, else a `dockerd` of our own where root can run one. */
import { existsSync } from "node:fs";
import { homedir, platform } from "node:os";
import { join } from "node:path";
import { which } from "./command.ts";
import { installCommand, programOrPackage } from "./packages.ts";
import type { LaunchContext, Recipe } from "./recipe.ts";
import { type Env, UnavailableError } from "./types.ts";

const SOCKETS = [
  "/var/run/docker.sock",
  join(homedir(), ".docker/run/docker.sock"),
  join(homedir(), ".colima/default/docker.sock"),
  join(homedir(), ".orbstack/run/docker.sock"),
];
/** A unix socket's path must fit in 108 bytes; containerd's lies 33 below its folder. */
const LONGEST_FOLDER = 70;

/** What Debian calls an engine that can be run by hand. */
export const DOCKER_PACKAGES = "docker.io iproute2 iptables";

/** Docker. */
export const dockerRecipe: Recipe = {
  name: "docker",
  title: "Docker",
  variable: "DOCKER_HOST",
  readyWithinMs: 60_000,
  stop: { signal: "SIGTERM", withinMs: 30_000 }, // It stops its containers first, ten seconds each, side by side.

  async discover() {
    for (const socket of SOCKETS.filter((path) => existsSync(path))) {
      const env: Env = { DOCKER_HOST: `unix://${socket}` };
      if (
        await this.probe(env).then(
          () => true,
          () => false,
        )
      )
        return env;
    }
    return undefined;
  },

  async obtain(context) {
    if (platform() !== "linux")
      throw new UnavailableError("No Docker engine answers", "brew install --cask docker && open -a Docker");
    if (process.getuid?.() !== 0)
      throw new UnavailableError(
        "No Docker engine answers, and only root can start one",
        "sudo systemctl start docker",
      );
    const command = await programOrPackage(context, {
      program: "dockerd",
      folders: ["/usr/sbin"],
      apt: DOCKER_PACKAGES,
      brew: "docker",
    });
    if (which("ip", ["/sbin", "/usr/sbin"]) === undefined)
      throw new UnavailableError(
        "dockerd is here, but the ip command is not",
        installCommand({ apt: "iproute2 iptables", brew: "docker" }),
      );
    return async (place) => {
      const run = place.dir.length <= LONGEST_FOLDER ? place.dir : `/tmp/troupe-${place.id}`;
      const bridge = await makeBridge(place);
      const address = `unix://${join(run, "docker.sock")}`;
      const args = [
        ...[
          "--host",
          address,
          "--data-root",
          join(place.dir, "root"),
          "--exec-root",
          join(run, "exec"),
          "--pidfile",
          join(run, "docker.pid"),
        ],
        ...["--bridge", bridge.name, "--default-address-pool", `base=${bridge.pool},size=24`],
        // A second engine that writes firewall rules flushes those of the first. Published ports on loopback need none.
        ...["--iptables=false", "--ip6tables=false", "--ip-masq=false"],
        ...["--log-level", "warn"],
      ];
      return { processes: [{ command, args }], address, env: { DOCKER_HOST: address }, cleanUp: bridge.remove };
    };
  },

  async probe(env) {
    const host = env["DOCKER_HOST"] ?? "";
    const signal = AbortSignal.timeout(3_000);
    const response = host.startsWith("unix://")
      ? await fetch("http://docker/_ping", { unix: host.slice("unix://".length), signal })
      : await fetch(`${host.replace(/^tcp:/, "http:")}/_ping`, { signal });
    const text = await response.text();
    if (!response.ok || text !== "OK")
      throw new Error(`Docker answered ${response.status} to a ping: ${text.slice(0, 100)}`);
  },
};

interface Bridge {
  readonly name: string;
  /** Networks that users create come from here. */
  readonly pool: string;
  readonly remove: () => Promise<void>;
}

/** A network bridge of this data folder's own: two engines on `docker0` would hand out the same addresses. */
async function makeBridge(place: LaunchContext): Promise<Bridge> {
  const name = `trp-${place.id}`;
  const ip = which("ip", ["/sbin", "/usr/sbin"]) ?? "ip";
  // Spread by the id over 10.128.0.0 to 10.191.255.255: a collision of two folders is unlikely, and only their containers would notice.
  const number = Number.parseInt(place.id, 16);
  const second = 128 + (number % 64);
  const third = (number >> 6) % 256;
  const remove = async (): Promise<void> => void (await place.run(ip, ["link", "delete", name]).catch(() => undefined));
  await remove();
  try {
    await place.run(ip, ["link", "add", "name", name, "type", "bridge"]);
    await place.run(ip, ["address", "add", `10.${second}.${third}.1/24`, "dev", name]);
    await place.run(ip, ["link", "set", name, "up"]);
  } catch (error) {
    await remove();
    throw new UnavailableError(
      "Docker needs a network bridge, and this environment does not allow one",
      "sudo systemctl start docker",
      { cause: error },
    );
  }
  return { name, pool: `10.${192 + (number % 64)}.0.0/16`, remove };
}
