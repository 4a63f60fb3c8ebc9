import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DIAL = ["docker", "system", "dial-stdio"] as const;

/**
 * Opens a unix socket here that leads to the Docker engine of another machine, and returns its path: each connection is
 * an `ssh … docker system dial-stdio`, as the `docker` command does it. Keys, known hosts and everything else are those
 * of this user's `ssh`; it never asks for a password. Connections share one login for a minute.
 *
 * @param address as in `ssh://user@host:22`.
 * @param options further arguments of `ssh`; they go before ours.
 */
export function sshSocket(address: string, options: readonly string[] = []): string {
  const { hostname, port, username } = new URL(address);
  const folder = mkdtempSync(join(tmpdir(), "tssh-"));
  const path = join(folder, "docker.sock");
  const args = [
    ...options,
    ...["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"],
    ...["-o", "ControlMaster=auto", "-o", `ControlPath=${join(folder, "%C")}`, "-o", "ControlPersist=60s"],
    ...(port === "" ? [] : ["-p", port]),
    ...(username === "" ? [] : ["-l", decodeURIComponent(username)]),
    ...["--", hostname.replace(/^\[|\]$/g, ""), ...DIAL],
  ];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const ssh = spawn("ssh", args, { stdio: ["pipe", "pipe", "ignore"] });
    client.pipe(ssh.stdin);
    ssh.stdout.pipe(client);
    ssh.on("error", () => client.destroy());
    ssh.on("exit", () => client.end());
    client.on("error", () => ssh.kill());
    client.on("close", () => ssh.kill());
    ssh.stdin.on("error", () => client.destroy());
  });
  server.listen(path);
  server.unref();
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return path;
}
