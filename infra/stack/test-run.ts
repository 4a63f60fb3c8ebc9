/** The servers of one test run, seen from the process that runs the tests. The servers themselves live in `supervisor.ts`. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lastLines } from "./command.ts";
import { endLeftovers } from "./leftovers.ts";
import { tryLock } from "./lock.ts";
import { ownMark } from "./process-mark.ts";
import { removeFolder } from "./remove-folder.ts";
import type { SupervisorLine } from "./supervisor.ts";
import { type Env, type Reporter, type ServerName, UnavailableError } from "./types.ts";

const PREFIX = "troupe-test-";
const START_MS = 20_000;

/** Asks a supervisor for servers. */
export interface TestRun {
  /** The supervisor's socket; handed to child processes so that they share the servers. */
  readonly socket: string;
  /** The variables of a server, started if it was not; throws `UnavailableError` when it cannot be had. */
  server(name: ServerName, report?: Reporter): Promise<Env>;
  /** Stops every server of the run. Also happens by itself when the owning process is gone. */
  end(): Promise<void>;
}

/** The run behind a socket that a parent process handed down. */
export function joinTestRun(socket: string): TestRun {
  return { socket, server: (name, report) => requestServer(socket, name, report), end: () => requestEnd(socket) };
}

/** The run of this process; its supervisor is started on the first call. Concurrent calls, also of module copies, get the same one. */
export async function openTestRun(): Promise<TestRun> {
  const owner = ownMark();
  const name = `${PREFIX}${owner.pid}-${createHash("sha256").update(owner.startedAt).digest("hex").slice(0, 8)}`;
  const dir = join(tmpdir(), name);
  const socket = join(dir, "control.sock");
  const log = join(dir, "supervisor.log");
  if (isFirst(dir)) {
    await sweep(name);
    const out = openSync(log, "a");
    const args = [join(import.meta.dirname, "supervisor.ts"), dir, String(owner.pid), owner.startedAt];
    spawn(process.execPath, args, { detached: true, stdio: ["ignore", out, out] }).unref();
    closeSync(out);
  }
  const deadline = Date.now() + START_MS;
  while (!existsSync(socket)) {
    if (Date.now() > deadline) throw new Error(`The process that owns the test servers did not start:\n${tail(log)}`);
    await delay(20);
  }
  return joinTestRun(socket);
}

async function requestServer(socket: string, name: ServerName, report?: Reporter): Promise<Env> {
  const response = await fetch(`http://supervisor/${name}`, {
    unix: socket,
    method: "POST",
    signal: null,
    ...NO_TIMEOUT,
  });
  if (!response.ok || response.body === null)
    throw new Error(`Cannot start ${name} for this test run: ${await response.text()}`);
  for await (const text of linesOf(response.body)) {
    const line = JSON.parse(text) as SupervisorLine;
    if ("event" in line) report?.(line.event);
    else if ("env" in line) return line.env;
    else throw new UnavailableError(`${line.missing.reason}; fix: ${line.missing.fix}`, line.missing.fix);
  }
  throw new Error(`The process that owns the test servers ended while ${name} was starting`);
}

/** Bun gives a request five minutes by default, and building a server may take longer. */
const NO_TIMEOUT = { timeout: false } as Record<string, unknown>;

async function requestEnd(socket: string): Promise<void> {
  await fetch("http://supervisor/", { unix: socket, method: "DELETE", ...NO_TIMEOUT }).catch(() => undefined);
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/** Creating a folder succeeds for exactly one caller. */
function isFirst(dir: string): boolean {
  try {
    mkdirSync(dir, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

/** Ends what runs left whose supervisor was killed too. A folder whose locks are held belongs to a live one. */
async function sweep(except: string): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(PREFIX) && each !== except)) {
    const dir = join(tmpdir(), name);
    const pid = Number(name.slice(PREFIX.length).split("-")[0]);
    if (isRunning(pid)) continue;
    const stacks = subfolders(dir).filter((folder) => existsSync(join(folder, "stack.lock")));
    const locks = stacks.map((folder) => tryLock(join(folder, "stack.lock")));
    try {
      if (locks.includes(undefined)) continue;
      for (const folder of stacks) await endLeftovers(folder);
      if (stacks.length > 0) await removeFolder(dir);
    } finally {
      for (const lock of locks) lock?.release();
    }
  }
}

function subfolders(dir: string): string[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(dir, entry.name));
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function tail(log: string): string {
  return existsSync(log) ? lastLines(readFileSync(log, "utf8"), 20).join("\n") : "";
}
