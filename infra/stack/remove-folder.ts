import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { pause } from "#infra/base/pause.ts";

const TRIES = 30;
const BETWEEN_MS = 100;

/**
 * Removes the folder of servers that have ended. A Docker engine leaves mounts in its own (`exec/netns/default`, for containers on the
 * host's network), which are taken away first; what a server's last breath still writes there is waited for, 3 s at most.
 * @returns whether the folder is gone. Never rejects: what is left over is no reason to fail.
 */
export async function removeFolder(dir: string): Promise<boolean> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      for (const mount of mountsBelow(dir)) spawnSync("umount", ["--lazy", mount]);
      rmSync(dir, { recursive: true, force: true });
      return true;
    } catch {
      await pause(BETWEEN_MS);
    }
  }
  return false;
}

/** Mount points in a folder, the innermost first. None where the system does not list them. */
export function mountsBelow(dir: string, list = mountList()): readonly string[] {
  return list
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replaceAll("\\040", " "))
    .filter((path) => path.startsWith(`${dir}/`))
    .toReversed();
}

function mountList(): string {
  try {
    return readFileSync("/proc/self/mounts", "utf8");
  } catch {
    return "";
  }
}
