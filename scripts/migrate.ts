#!/usr/bin/env bun
/**
 * `bun run migrate`: brings the database of every service to the newest tables, without starting the app, which does the
 * same when it starts. For deployments whose app may not change tables. Exits with 1 when a database could not be
 * brought there, with 2 when one is not named.
 */
import { migrate } from "#infra/postgres/migrate.ts";
import { readArguments } from "./app/arguments.ts";
import { databasesOf } from "./app/databases.ts";
import { readSettings, SettingsError } from "./app/settings.ts";
import { stackAddresses } from "./app/stack-addresses.ts";

const USAGE = `bun run migrate    applies the migrations that the database of a service has not seen, and creates it where it is missing

  --data DIR   the data folder of a running "bun run dev" or "bun run stack" (default: .troupe); DATABASE_URL or one
               per service, like ORDER_DATABASE_URL, win over it
  --help       this text`;

async function run(args: readonly string[]): Promise<number> {
  const { help, environment } = readArguments(args);
  if (help) {
    console.log(USAGE);
    return 0;
  }
  const all = { ...process.env, ...environment };
  const settings = readSettings(all, stackAddresses(all["TROUPE_DATA"] || ".troupe"));
  let failed = false;
  for (const [service, url] of Object.entries(databasesOf(settings))) {
    if (url === undefined) {
      throw new SettingsError(
        `Cannot migrate the database of ${service} as none is named: set DATABASE_URL or ${service.toUpperCase()}_DATABASE_URL`,
      );
    }
    try {
      const applied = await migrate(url);
      console.log(`${service}: ${applied.length === 0 ? "up to date" : `applied ${applied.join(", ")}`}`);
    } catch (error) {
      failed = true;
      console.error(`${service}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return failed ? 1 : 0;
}

try {
  process.exit(await run(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exit(2);
}
