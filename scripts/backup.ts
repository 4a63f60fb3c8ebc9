#!/usr/bin/env bun
/** `bun run backup`: every database at one point in time. See `--help`. */
import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { loadSettings } from "./app/settings-sources.ts";
import { SettingsError } from "./app/settings.ts";
import { backUp, secretLines } from "./backup/backup.ts";
import { rowsOf } from "./backup/manifest.ts";

const USAGE = `bun run backup --out DIR    copies the database of every service, as all stood at one moment, while the app runs

  --out DIR       a folder that is not there yet (default: .troupe/backups/<now>)
  --secrets FILE  writes the keys that seal and open secrets there, apart from the backup: keep it elsewhere
  --help          this text

The streams' positions are written down as well. "bun run restore --from DIR" puts it into empty databases.`;

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    out: { type: "string" },
    secrets: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) console.log(USAGE);
else {
  try {
    const { settings } = loadSettings(process.env);
    const now = new Date().toISOString().replaceAll(/[:.]/g, "-");
    const out = resolve(values.out ?? join(settings.TROUPE_DATA, "backups", now));
    await mkdir(dirname(out), { recursive: true });
    const { version } = JSON.parse(readFileSync(join(import.meta.dir, "../package.json"), "utf8")) as {
      version: string;
    };
    const manifest = await backUp(settings, out, version);
    if (values.secrets !== undefined)
      await writeFile(values.secrets, secretLines(settings), { mode: 0o600, flag: "wx" });
    console.log(`${out}: ${manifest.databases.length} databases, ${rowsOf(manifest)} rows, as of ${manifest.at}`);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
