/**
 * `<data>/stack.json`: what runs in a data folder. People, `bun run start` and tests read it to find the servers; the next start
 * reads it to end what a killed run left. Written whole and renamed into place, so that a reader never sees half of it.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessMark } from "./process-mark.ts";
import type { Env, How, ServerName } from "./types.ts";

/** A server in the state file. */
export interface RecordedServer {
  readonly name: ServerName;
  readonly how: How;
  readonly address: string;
  readonly env: Readonly<Env>;
  /** Every process started for it, the server itself last; empty when the stack did not start it. */
  readonly processes: readonly ProcessMark[];
  readonly logFile?: string;
}

/** An app process in the state file. */
export interface RecordedApp extends ProcessMark {
  readonly address: string;
}

/** What the file holds. */
export interface StackRecord {
  readonly version: 1;
  /** The process that started the servers and will stop them. */
  readonly owner: ProcessMark;
  readonly command: string;
  readonly startedAt: string;
  readonly servers: readonly RecordedServer[];
  readonly apps: readonly RecordedApp[];
}

const FILE = "stack.json";
const ENV_FILE = "env";

/** The record of a data folder; undefined when there is none or it cannot be read. */
export function readRecord(dataDir: string): StackRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(dataDir, FILE), "utf8")) as StackRecord;
    return record.version === 1 ? record : undefined;
  } catch {
    return undefined;
  }
}

/** The record, if the process that wrote it still runs. A recycled pid does not count. */
export function readLiveRecord(dataDir: string): StackRecord | undefined {
  const record = readRecord(dataDir);
  return record !== undefined && isAlive(record.owner) ? record : undefined;
}

/** Replaces the record, and beside it `<data>/env` with the variables of all servers as `KEY=value` lines. */
export function writeRecord(dataDir: string, record: StackRecord): void {
  replace(join(dataDir, FILE), `${JSON.stringify(record, undefined, 2)}\n`);
  const env = Object.assign({}, ...record.servers.map((server) => server.env)) as Env;
  replace(
    join(dataDir, ENV_FILE),
    Object.entries(env)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(""),
  );
}

/** Removes the record: nothing runs any more. */
export function removeRecord(dataDir: string): void {
  rmSync(join(dataDir, FILE), { force: true });
  rmSync(join(dataDir, ENV_FILE), { force: true });
}

function replace(path: string, text: string): void {
  const next = `${path}.${process.pid}`;
  writeFileSync(next, text, { mode: 0o600 }); // Addresses hold passwords.
  renameSync(next, path);
}
