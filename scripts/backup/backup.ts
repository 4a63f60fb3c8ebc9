import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clusterNames } from "../app/cluster-names.ts";
import { databasesOf } from "../app/databases.ts";
import { type Settings, SettingsError } from "../app/settings.ts";
import type { Manifest } from "./manifest.ts";
import { stillPoint } from "./still.ts";
import { streamPositions } from "./streams.ts";
import { tablesOf, writeTable } from "./tables.ts";

/** The database of every service. @throws {SettingsError} when one has none. */
export function namedDatabases(settings: Settings): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(databasesOf(settings)).map(([service, url]) => {
      if (url !== undefined) return [service, url];
      const name = `${service.toUpperCase()}_DATABASE_URL`;
      throw new SettingsError(`Cannot find the database of ${service}: set DATABASE_URL or ${name}`);
    }),
  );
}

/**
 * Copies the databases of all services, as they stood at one moment, into a new folder. The app may run meanwhile.
 * @throws {Error} when the folder is there already.
 */
export async function backUp(settings: Settings, folder: string, version: string): Promise<Manifest> {
  await mkdir(folder); // an older backup is never written over
  await using point = await stillPoint(namedDatabases(settings));
  const { TROUPE_CLUSTER: cluster, NATS_URL } = settings;
  const { events, topics, routed } = clusterNames(cluster);
  const names = [events.stream ?? "EVENTS", topics.stream ?? "TOPICS", routed.stream ?? "ROUTED"];
  const streams = NATS_URL === undefined ? null : await streamPositions(NATS_URL, names).catch(() => null);
  const databases: Manifest["databases"] = [];
  for (const { service, sql } of point.snapshots) {
    const tables: Manifest["databases"][number]["tables"] = [];
    for (const name of await tablesOf(sql)) {
      const file = `${service}.${name}.ndjson.gz`;
      tables.push({ name, rows: await writeTable(sql, name, join(folder, file)), file });
    }
    const migrations = await sql.unsafe<{ name: string }[]>("select name from migrations order by name");
    databases.push({ service, migrations: migrations.map(({ name }) => name), tables });
  }
  const manifest: Manifest = { format: 1, at: point.at.toISOString(), cluster, version, databases, streams };
  // Last: a folder without it is no backup.
  await writeFile(join(folder, "manifest.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  return manifest;
}

/** The settings that are secret, as lines for an environment: apart from the backup, which holds nothing to open it with. */
export function secretLines(settings: Settings): string {
  const { TROUPE_SECRET_KEY, TROUPE_ADMIN_KEY } = settings;
  return Object.entries({ TROUPE_SECRET_KEY, TROUPE_ADMIN_KEY })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
