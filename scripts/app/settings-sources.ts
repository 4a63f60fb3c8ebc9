import { readFileSync } from "node:fs";
import type { SettingInForce } from "#actors/ingress/deps.ts";
import { withoutCredentials } from "#infra/base/address.ts";
import { type FileSettings, readConfigFile } from "./config-file.ts";
import { isSecretName, meaningOf, readSettings, type Settings, SettingsError, VARIABLE_NAMES } from "./settings.ts";
import { stackAddresses } from "./stack-addresses.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings, and where each comes from. */
export interface LoadedSettings {
  readonly settings: Settings;
  /** As in `environment`, `troupe.yaml line 3, column 14: /api/rateLimit`, `running stack`, `default`. */
  originOf(variable: keyof Settings): string;
}

/**
 * The environment with what stands in files: where `NAME_FILE` names a file and `NAME` is not set, `NAME` is what the file
 * holds, without the line's end. So secrets that a container gets as files need not stand in its environment.
 * @throws {SettingsError} naming the file that cannot be read.
 */
function withFiles(environment: Environment): Environment {
  const read = VARIABLE_NAMES.flatMap((name) => {
    const path = environment[`${name}_FILE`];
    if (!path || environment[name]) return [];
    try {
      return [[name, readFileSync(path, "utf8").replace(/\r?\n$/, "")]];
    } catch {
      throw new SettingsError(`Cannot start as the file of ${name}_FILE cannot be read: ${path}`);
    }
  });
  return read.length === 0 ? environment : { ...environment, ...Object.fromEntries(read) };
}

/**
 * Reads the settings of every source: the environment wins over the file of `TROUPE_CONFIG`, that over the addresses of a
 * running stack, those over the defaults.
 * @throws {SettingsError} naming everything that does not fit, with its place in the file.
 */
export function loadSettings(given: Environment): LoadedSettings {
  const environment = withFiles(given);
  const path = environment["TROUPE_CONFIG"] || undefined;
  const file = path === undefined ? undefined : fileAt(path);
  const stack = stackAddresses(environment["TROUPE_DATA"] || ".troupe");
  const originOf = (variable: string): string => {
    if (environment[variable]) return given[variable] ? "environment" : `file of ${variable}_FILE`;
    if (file?.values[variable] !== undefined) return `${path} ${file.placeOf(variable)}`;
    return stack[variable] === undefined ? "default" : "running stack";
  };
  const settings = readSettings(environment, { ...stack, ...file?.values }, (variable) =>
    file?.values[variable] !== undefined && !environment[variable] ? `${originOf(variable)} (${variable})` : variable,
  );
  return { settings, originOf };
}

/** What is in force, by name. */
export function describeSettings({ settings, originOf }: LoadedSettings): readonly SettingInForce[] {
  return VARIABLE_NAMES.flatMap((name) => {
    const text = textOf(settings[name]);
    if (text === "") return [];
    return [{ name, value: shown(name, text), origin: originOf(name), meaning: meaningOf(name) }];
  });
}

function textOf(value: unknown): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map(textOf).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function shown(name: string, text: string): string {
  if (!isSecretName(name)) return text;
  return /_(?:KEY|PASSWORD)$/.test(name) ? "set" : withoutCredentials(text);
}

function fileAt(path: string): FileSettings {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new SettingsError(`Cannot start as the file of TROUPE_CONFIG cannot be read: ${path}`);
  }
  const read = readConfigFile(text);
  if ("errors" in read) {
    throw new SettingsError(
      `Cannot start as ${path} does not fit:\n${read.errors.map((error) => `  ${error}`).join("\n")}`,
    );
  }
  return read;
}
