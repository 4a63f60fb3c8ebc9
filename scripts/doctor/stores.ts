/** What each service's store was made with: how many partitions. */
import { readPartitions } from "#infra/postgres/partitions.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { databasesOf } from "../app/databases.ts";
import { loadSettings } from "../app/settings-sources.ts";
import { type Settings, SettingsError } from "../app/settings.ts";
import type { Finding } from "./finding.ts";

/** PostgreSQL has no such database, or no such table in it. */
const NOT_MADE: ReadonlySet<unknown> = new Set(["3D000", "42P01"]);

/** Asks the databases that an app would use here. Empty where none is named, or the settings are wrong. */
export async function inspectStores(dataDir: string | undefined): Promise<Finding[]> {
  let settings: Settings;
  try {
    ({ settings } = loadSettings(dataDir === undefined ? process.env : { ...process.env, TROUPE_DATA: dataDir }));
  } catch (error) {
    if (error instanceof SettingsError) return []; // said of the settings themselves
    throw error;
  }
  const named = Object.entries(databasesOf(settings)).flatMap(([name, url]) =>
    url === undefined ? [] : [{ name, url }],
  );
  return Promise.all(named.map(({ name, url }) => inspectStore(name, url, settings.DATABASE_PARTITIONS)));
}

/** @param asked how many partitions the app would ask for. */
export async function inspectStore(name: string, url: string, asked: number | undefined): Promise<Finding> {
  const base = { area: "stores", name } as const;
  let partitions: number | undefined;
  try {
    partitions = await withConnection(url, readPartitions);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (!NOT_MADE.has(code))
      return {
        ...base,
        status: "off",
        detail: `cannot be asked: ${error instanceof Error ? error.message : String(error)}`,
      };
  }
  if (partitions === undefined) return { ...base, status: "later", detail: "is made by the first start" };
  if (asked === undefined || asked === partitions) return { ...base, status: "ok", detail: `${partitions} partitions` };
  return {
    ...base,
    status: "bad",
    detail: `was made with ${partitions} partitions, and DATABASE_PARTITIONS asks for ${asked}: it does not open`,
    fix: `set DATABASE_PARTITIONS to ${partitions}, or unset it; ${asked} need a new, empty database`,
  };
}
