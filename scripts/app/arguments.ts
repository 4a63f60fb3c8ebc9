import { parseArgs } from "node:util";
import { describeVariables, SettingsError } from "./settings.ts";

/** What the command line says. */
export interface Arguments {
  readonly help: boolean;
  /** As variables: they win over the environment. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What `--help` prints. */
export const usage = (): string => `Usage: bun run start [--port N] [--data DIR]

Starts one app process against servers that run already: those of the environment, else those of the data folder of a
running "bun run dev" or "bun run stack".

  --port N     like PORT=N
  --data DIR   like TROUPE_DATA=DIR
  --help       this text

Environment (defaults in parentheses):
${describeVariables()}`;

/** @throws {SettingsError} for an argument it does not know. */
export function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { port: { type: "string" }, data: { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    return {
      help: values.help === true,
      environment: {
        ...(values.port === undefined ? {} : { PORT: values.port }),
        ...(values.data === undefined ? {} : { TROUPE_DATA: values.data }),
      },
    };
  } catch (error) {
    throw new SettingsError(`Cannot read the arguments: ${error instanceof Error ? error.message : String(error)}`);
  }
}
