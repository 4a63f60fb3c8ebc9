import { readFileSync } from "node:fs";
import type { SettingInForce } from "#actors/ingress/deps.ts";
import type { Log } from "#runtime";
import { describeSettings, type LoadedSettings, loadSettings } from "./settings-sources.ts";
import type { Settings } from "./settings.ts";

const LOOK_EVERY_MS = 1_000;
/** What a running process takes over. */
const LIVE = [
  "API_RATE_LIMIT",
  "API_RATE_LIMIT_BURST",
  "API_MAX_PAYLOAD_SIZE",
  "ALLOWED_ORIGINS",
  "ROUTING_DEFAULT_TOPIC",
  "ROUTING_DEFAULT_EXCHANGE",
  "ROUTING_DEFAULT_ROUTING_KEY",
  "ROUTING_MAX_RETRIES",
] as const;

/** Settings that follow their file. */
export interface LiveSettings {
  /** Those in force now. */
  current(): Settings;
  /** Those in force now, for people: where each comes from, and no secret. */
  described(): readonly SettingInForce[];
  stop(): void;
}

/**
 * Looks at the file of `TROUPE_CONFIG` every second, and takes over what may change while the process runs. A file that does not
 * fit, or is gone, changes nothing; the log says why, once.
 */
export function followSettings(
  first: LoadedSettings,
  environment: Readonly<Record<string, string | undefined>>,
  log: Log,
  everyMs = LOOK_EVERY_MS,
): LiveSettings {
  const path = first.settings.TROUPE_CONFIG;
  let current = first.settings;
  let taken = first;
  const isLive = (name: string): boolean => (LIVE as readonly string[]).includes(name);
  const described = (): readonly SettingInForce[] =>
    describeSettings({ settings: current, originOf: (name) => (isLive(name) ? taken : first).originOf(name) });
  if (path === undefined) return { current: () => current, described, stop: () => undefined };
  let seen = textOf(path);

  function look(): void {
    const text = textOf(path as string);
    if (text === seen) return;
    seen = text;
    try {
      const loaded = loadSettings(environment);
      const next = loaded.settings;
      const names = Object.keys(next) as (keyof Settings)[];
      const differ = names.filter((name) => JSON.stringify(next[name]) !== JSON.stringify(current[name]));
      const later = differ.filter((name) => !isLive(name));
      taken = loaded;
      current = { ...current, ...Object.fromEntries(LIVE.map((name) => [name, next[name]])) };
      log("info", "config:reloaded", { path, changed: differ.filter((name) => !later.includes(name)) });
      if (later.length > 0) log("warn", "config:restart-needed", { path, for: later });
    } catch (error) {
      log("error", "config:refused", { path, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  const timer = setInterval(look, everyMs);
  timer.unref();
  return { current: () => current, described, stop: () => clearInterval(timer) };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
