/**
 * Ends what a killed run left in a data folder. Only processes that provably belong to it are touched: those whose pid and start time
 * are in the state file, and (on Linux) those that carry the folder in their environment.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { STACK_VARIABLE } from "./child.ts";
import { isAlive, markOf, type ProcessMark, signalGroup, signalOne } from "./process-mark.ts";
import { readRecord, removeRecord } from "./state-file.ts";
import type { ServerName } from "./types.ts";

/** PostgreSQL takes SIGTERM as "wait until every client has left". */
const SIGNALS: Partial<Record<ServerName, NodeJS.Signals>> = { postgres: "SIGINT" };
const PATIENCE_MS = 15_000;

/**
 * Ends every process that an earlier owner of this data folder left running, and removes its record. The caller holds the folder's
 * lock, so no live owner exists. Answers how many processes it ended.
 */
export async function endLeftovers(dataDir: string): Promise<number> {
  const record = readRecord(dataDir);
  const asked = new Map<number, ProcessMark>();
  const ask = (mark: ProcessMark, signal: NodeJS.Signals): void => {
    if (asked.has(mark.pid) || !isAlive(mark)) return;
    asked.set(mark.pid, mark);
    signalOne(mark, signal);
  };
  for (const app of record?.apps ?? []) ask(app, "SIGTERM");
  for (const server of record?.servers ?? []) {
    for (const mark of server.processes.toReversed()) ask(mark, SIGNALS[server.name] ?? "SIGTERM");
  }
  await untilGone([...asked.values()]);
  // What was not in the record: helpers of a dead leader, and servers started just before the kill.
  for (const mark of carriersOf(dataDir)) {
    ask(mark, "SIGINT"); // Ends every one of them; for PostgreSQL it is the fast and clean way.
    asked.set(mark.pid, mark);
  }
  await untilGone([...asked.values()]);
  removeRecord(dataDir);
  return asked.size;
}

async function untilGone(marks: readonly ProcessMark[]): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (marks.some(isAlive)) {
    if (Date.now() > deadline) for (const mark of marks) signalGroup(mark, "SIGKILL");
    await delay(50);
  }
}

/** Live processes that carry the data folder in their environment. Empty where the system does not show it. */
export function carriersOf(dataDir: string): ProcessMark[] {
  const needle = `${STACK_VARIABLE}=${dataDir}`;
  return numbersIn("/proc").flatMap((pid) => {
    if (pid === process.pid || !environmentOf(pid).includes(needle)) return [];
    const mark = markOf(pid);
    // The shim of a container is ended together with the container, by the next engine that opens the same folder.
    return mark === undefined || nameOf(pid).startsWith("containerd-shim") ? [] : [mark];
  });
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function environmentOf(pid: number): string[] {
  return read(`/proc/${pid}/environ`).split("\0");
}

function nameOf(pid: number): string {
  return read(`/proc/${pid}/comm`);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Kills everything the record of a data folder names, at once: for a second Ctrl-C. Data survives it; the next start tidies up. */
export function killRecorded(dataDir: string): void {
  const record = readRecord(dataDir);
  for (const app of record?.apps ?? []) signalGroup(app, "SIGKILL");
  for (const server of record?.servers ?? []) for (const mark of server.processes) signalGroup(mark, "SIGKILL");
}
