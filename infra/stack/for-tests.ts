/**
 * Servers for tests. A test asks for what it needs and gets it whatever runs it:
 * `bun run test` (the run's own servers), plain `bun test` beside a running `bun run dev` (those of this checkout), plain `bun test` alone
 * (started now, shared by the whole run, gone when the process is gone).
 */
import { join } from "node:path";
import { withConnection } from "./postgres.ts";
import { RECIPES } from "./recipes.ts";
import { lines } from "./report.ts";
import { readLiveRecord } from "./state-file.ts";
import { joinTestRun, openTestRun, type TestRun } from "./test-run.ts";
import type { Env, ServerName } from "./types.ts";

/** Names the supervisor of the surrounding `bun run test`. */
export const TEST_RUN_VARIABLE = "TROUPE_TEST_RUN";

const CHECKOUT = join(import.meta.dirname, "..", "..");

/**
 * The address of a server: `DATABASE_URL` for postgres, `NATS_URL` for nats, and so on. Starts the server when none is found.
 * The server may be shared with other tests and with a running `bun run dev`: use names of your own in it, and {@link testDatabase}.
 * Throws `UnavailableError`, with the command that fixes it, when the server cannot be had.
 */
export async function testServer(name: ServerName): Promise<string> {
  const env = await testEnvironment(name);
  return env[RECIPES[name].variable] ?? "";
}

/** The variables of several servers together, as an app process would get them. */
export async function testEnvironment(...names: readonly ServerName[]): Promise<Env> {
  return Object.assign({}, ...(await Promise.all(names.map(variablesOf)))) as Env;
}

/** A database that is dropped when it is disposed of. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
}

/**
 * A fresh, empty database on the test server: `await using database = await testDatabase()`. Dropping it ends its connections.
 * @param prefix of its name, lower-case letters, digits and `_`. @default "test"
 */
export async function testDatabase(prefix = "test"): Promise<TestDatabase> {
  const server = await testServer("postgres");
  const name = `${prefix.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_")}_${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}`;
  await withConnection(server, async (sql) => void (await sql.unsafe(`create database ${name}`)));
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: () =>
      withConnection(server, async (sql) => void (await sql.unsafe(`drop database if exists ${name} with (force)`))),
  };
}

let run: Promise<TestRun> | undefined;

async function variablesOf(name: ServerName): Promise<Env> {
  const recipe = RECIPES[name];
  const named = process.env[recipe.variable];
  if (named !== undefined && named !== "") {
    const companions = Object.keys(recipe.companions ?? {}).flatMap((key) =>
      process.env[key] === undefined ? [] : [[key, process.env[key]]],
    );
    return { [recipe.variable]: named, ...(Object.fromEntries(companions) as Env) };
  }
  const socket = process.env[TEST_RUN_VARIABLE];
  if (socket === undefined) {
    const running = readLiveRecord(join(CHECKOUT, ".troupe"))?.servers.find(
      (server) => server.name === name && server.address !== "",
    );
    if (running !== undefined) return running.env;
  }
  run ??= socket === undefined ? openTestRun() : Promise.resolve(joinTestRun(socket));
  const shown = lines((line) => console.error(line));
  // What takes long is said, or an installation looks like a hanging test; the rest is nobody's business.
  const report = shown.report;
  try {
    return await (await run).server(name, (event) => event.state.kind !== "running" && report(event));
  } finally {
    shown.close();
  }
}
