/**
 * The process that owns the servers of one test run. It starts each server when it is asked for, and ends them all when its owner is gone,
 * however the owner went: a killed test run leaves nothing behind.
 *
 * Called as `bun supervisor.ts DIR PID STARTED_AT`; DIR is removed at the end. On `DIR/control.sock` it answers
 * `POST /NAME`: starts a server, or finds it started; lines of JSON, {@link SupervisorLine}, the last of which is the outcome;
 * `DELETE /`: stops everything, and answers when it is done.
 */
import { join } from "node:path";
import {
  type Env,
  type MissingServer,
  EVERY_SERVER,
  type ServerName,
  type Stack,
  type StackEvent,
  startStack,
} from "./mod.ts";
import { isAlive, type ProcessMark } from "./process-mark.ts";
import { removeFolder } from "./remove-folder.ts";

/** One line of an answer: what is happening, or how it ended. */
export type SupervisorLine =
  | { readonly event: StackEvent }
  | { readonly env: Env }
  | { readonly missing: MissingServer };

const WATCH_MS = 200;

/** A build takes minutes. The types know this option for TCP only; `server.timeout()` has no effect on a unix socket. */
const NO_TIMEOUT: object = { idleTimeout: 0 };

interface Entry {
  readonly stack: Promise<Stack>;
  readonly abort: AbortController;
  readonly listeners: Set<(event: StackEvent) => void>;
  last: StackEvent | undefined;
}

/** Runs until the owner is gone or somebody asks it to end. */
async function supervise(dir: string, owner: ProcessMark): Promise<void> {
  const entries = new Map<ServerName, Entry>();
  let ending: Promise<void> | undefined;

  const enter = (name: ServerName): Entry => {
    const present = entries.get(name);
    if (present !== undefined) return present;
    const listeners: Entry["listeners"] = new Set();
    const abort = new AbortController();
    const report = (event: StackEvent): void => {
      entry.last = event;
      for (const listener of listeners) listener(event);
    };
    // A folder of its own each: a server can then be added to the run at any time.
    const stack = startStack({
      servers: [name],
      dataDir: join(dir, name),
      preferUsualPorts: false,
      signal: abort.signal,
      report,
    });
    const entry: Entry = { stack, abort, listeners, last: undefined };
    entries.set(name, entry);
    return entry;
  };

  const end = async (): Promise<void> => {
    clearInterval(watch);
    await Promise.all(
      [...entries.values()].map(async ({ stack, abort, last }) => {
        // An installation is worth finishing, or a run that is too impatient for it would begin it anew each time.
        if (last?.state.kind !== "obtaining" && last?.state.kind !== "waiting")
          abort.abort(new Error("The test run is over"));
        await stack.then((running) => running.stop()).catch(() => undefined);
      }),
    );
    await removeFolder(dir);
  };
  const endOnce = (): Promise<void> => (ending ??= end());
  const watch = setInterval(() => {
    if (!isAlive(owner)) void endOnce().then(() => process.exit(0));
  }, WATCH_MS);
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.on(signal, () => void endOnce().then(() => process.exit(0)));

  Bun.serve({
    unix: join(dir, "control.sock"),
    ...NO_TIMEOUT,
    async fetch(request) {
      if (request.method === "DELETE") {
        await endOnce();
        setTimeout(() => process.exit(0), 50); // After the answer has left.
        return new Response("ended");
      }
      const name = new URL(request.url).pathname.slice(1);
      const known = EVERY_SERVER.find((each) => each === name);
      if (known === undefined) return new Response(`There is no server "${name}"`, { status: 404 });
      if (ending !== undefined) return new Response("The test run is over", { status: 503 });
      return new Response(follow(enter(known)), { headers: { "content-type": "application/x-ndjson" } });
    },
  });
}

/** The lines of one server's start, from now to its outcome. */
function follow(entry: Entry): ReadableStream<string> {
  return new ReadableStream<string>({
    async start(controller) {
      const send = (line: SupervisorLine): void => controller.enqueue(`${JSON.stringify(line)}\n`);
      const listener = (event: StackEvent): void => send({ event });
      if (entry.last !== undefined) send({ event: entry.last });
      entry.listeners.add(listener);
      try {
        const { env, missing } = await entry.stack;
        const [first] = missing;
        send(first === undefined ? { env } : { missing: first });
        controller.close();
      } catch (error) {
        controller.error(error);
      } finally {
        entry.listeners.delete(listener);
      }
    },
  });
}

const [dir, pid, startedAt] = process.argv.slice(2);
if (dir === undefined || pid === undefined || startedAt === undefined)
  throw new TypeError("usage: supervisor.ts DIR PID STARTED_AT");
await supervise(dir, { pid: Number(pid), startedAt });
