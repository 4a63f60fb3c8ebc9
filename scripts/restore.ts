#!/usr/bin/env bun
/** `bun run restore`: puts a backup into empty databases. See `--help`. */
import { parseArgs } from "node:util";
import { loadSettings } from "./app/settings-sources.ts";
import { SettingsError } from "./app/settings.ts";
import { restore, RestoreError } from "./backup/restore.ts";

const USAGE = `bun run restore --from DIR    puts a backup into the databases that the settings name

  --from DIR  a folder that "bun run backup" wrote
  --help      this text

Stop every process of the app first. The databases have to be empty; they are created where they are missing. What is kept
of the outbox is published again afterwards, under the same ids.`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: { from: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
});
if (values.help || values.from === undefined) {
  console.log(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    const { manifest, rows, again } = await restore(loadSettings(process.env).settings, values.from);
    console.log(`restored ${rows} rows as of ${manifest.at}; ${again} records will be published again`);
    for (const { name, lastSeq } of manifest.streams ?? [])
      console.log(
        `stream ${name} stood at ${lastSeq}: where it is still there and further, what is behind that never happened`,
      );
  } catch (error) {
    if (!(error instanceof SettingsError) && !(error instanceof RestoreError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
