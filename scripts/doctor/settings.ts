import { describeSettings, loadSettings } from "../app/settings-sources.ts";
import { SettingsError } from "../app/settings.ts";
import type { Finding } from "./finding.ts";

/** The settings an app would start with here, each with its origin, without passwords and keys. */
export function inspectSettings(dataDir: string | undefined): Finding[] {
  try {
    const loaded = loadSettings(dataDir === undefined ? process.env : { ...process.env, TROUPE_DATA: dataDir });
    return describeSettings(loaded).map(({ name, value, origin }) => ({
      area: "settings",
      name,
      status: "ok",
      detail: `${value}  (${origin})`,
    }));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return [{ area: "settings", name: "settings", status: "bad", detail: error.message, fix: "correct what is named" }];
  }
}
