/**
 * Who listens on a port. A slow server leaves seconds between the choice of its port and listening on it; a server of somebody else that
 * takes the port meanwhile would answer our probe, and we would use it as ours.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { platform } from "node:os";

/**
 * The first of `ports` on which a process outside the given process groups listens; undefined when there is none, or when the system
 * does not tell.
 */
export function foreignListener(ports: readonly number[], groups: readonly number[]): number | undefined {
  return platform() === "linux" ? foreignOnLinux(ports, groups) : foreignElsewhere(ports, groups);
}

function foreignOnLinux(ports: readonly number[], groups: readonly number[]): number | undefined {
  const listening = listeningSockets().filter(({ port }) => ports.includes(port));
  if (listening.length === 0) return undefined;
  const ours = new Set(processesOf(groups).flatMap(socketsOf));
  return listening.find(({ socket }) => !ours.has(socket))?.port;
}

/** Lines of `/proc/net/tcp`: number, local address, remote address, state, four more, and the socket's number. */
function listeningSockets(): { port: number; socket: string }[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    read(file)
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A")
      .map((fields) => ({ port: Number.parseInt(fields[1]?.split(":").at(-1) ?? "", 16), socket: fields[9] ?? "" })),
  );
}

function processesOf(groups: readonly number[]): number[] {
  return list("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid))
    .filter((pid) => {
      const stat = read(`/proc/${pid}/stat`);
      // After the name: state, parent, group.
      return groups.includes(Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]));
    });
}

function socketsOf(pid: number): string[] {
  return list(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

/** `lsof` answers a line per field: `p` pid, `g` group, `n` address. */
function foreignElsewhere(ports: readonly number[], groups: readonly number[]): number | undefined {
  let group = 0;
  for (const line of lsof().split("\n")) {
    if (line.startsWith("g")) group = Number(line.slice(1));
    const port = line.startsWith("n") ? Number(line.split(":").at(-1)) : Number.NaN;
    if (ports.includes(port) && !groups.includes(group)) return port;
  }
  return undefined;
}

function lsof(): string {
  try {
    return execFileSync("lsof", ["-nP", "-iTCP", "-sTCP:LISTEN", "-Fpgn"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return "";
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
