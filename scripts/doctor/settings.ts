import { describeSettings, loadSettings } from "../app/settings-sources.ts";
import { SettingsError } from "../app/settings.ts";
import type { Finding } from "./finding.ts";

const NO_SECRET_KEY: Finding = {
  area: "settings",
  name: "TROUPE_SECRET_KEY",
  status: "off",
  detail: "not set: secrets of sources and endpoints are stored as they are",
  fix: 'export TROUPE_SECRET_KEY="$(openssl rand -base64 32)", the same for every process',
};

/** The settings an app would start with here, each with its origin, without passwords and keys. */
export function inspectSettings(dataDir: string | undefined): Finding[] {
  try {
    const loaded = loadSettings(dataDir === undefined ? process.env : { ...process.env, TROUPE_DATA: dataDir });
    const found = describeSettings(loaded).map(({ name, value, origin }): Finding => ({
      area: "settings",
      name,
      status: "ok",
      detail: `${value}  (${origin})`,
    }));
    return loaded.settings.TROUPE_SECRET_KEY === undefined ? [...found, NO_SECRET_KEY] : found;
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return [{ area: "settings", name: "settings", status: "bad", detail: error.message, fix: "correct what is named" }];
  }
}
