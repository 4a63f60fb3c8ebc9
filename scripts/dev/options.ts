/** The command line of `bun run dev` and `bun run stack`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { SERVER_NAMES, type ServerName } from "#infra/stack/types.ts";

/** What the flags say. */
export interface DevOptions {
  readonly port: number;
  readonly dataDir: string;
  readonly servers: readonly ServerName[];
  readonly infra: "native" | "compose" | undefined;
  readonly seed: boolean;
  readonly nodes: number;
  readonly json: boolean;
  readonly bring: boolean;
  readonly help: boolean;
}

/** What `--help` prints. */
export const USAGE = `bun run dev     starts every server, then the app
bun run stack   starts the servers only

  --port N              of the app; the next free one when it is taken (default: PORT, else 3000)
  --data DIR            data, logs, stack.json (default: .troupe)
  --without a,b         leave out servers: ${SERVER_NAMES.filter((name) => name !== "postgres").join(", ")}
  --infra native|compose  child processes or containers (default: containers whose images are here, else processes)
  --no-seed             do not create the demo products
  --nodes N             app processes, as one cluster (default: 1)
  --json                stack only: print the addresses as JSON
  --bring               stack only: download and install what the servers need, start nothing
  --help                this text`;

/** Reads the flags. Throws `TypeError` that names the flag, the value and what would be right. */
export function parseOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): DevOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: "string" },
      data: { type: "string", default: ".troupe" },
      without: { type: "string", multiple: true, default: [] },
      infra: { type: "string" },
      "no-seed": { type: "boolean", default: false },
      nodes: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
      bring: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const without = values.without
    .flatMap((list) => list.split(","))
    .map((name) => name.trim())
    .filter((name) => name !== "");
  for (const name of without) checkLeftOut(name);
  return {
    port: whole("--port", values.port ?? env["PORT"] ?? "3000", 1, 65_535),
    dataDir: resolve(values.data),
    servers: SERVER_NAMES.filter((name) => !without.includes(name)),
    infra: infraOf(values.infra),
    seed: !values["no-seed"],
    nodes: whole("--nodes", values.nodes, 1, 64),
    json: values.json,
    bring: values.bring,
    help: values.help,
  };
}

function checkLeftOut(name: string): void {
  if (name === "postgres")
    throw new TypeError(
      "Cannot run without postgres: name one of your own in DATABASE_URL to keep it from being started",
    );
  if (!SERVER_NAMES.some((known) => known === name)) {
    throw new TypeError(
      `Cannot leave out "${name}" as there is no such server: use ${SERVER_NAMES.filter((known) => known !== "postgres").join(", ")}`,
    );
  }
}

function infraOf(text: string | undefined): "native" | "compose" | undefined {
  if (text === undefined || text === "native" || text === "compose") return text;
  throw new TypeError(`Cannot use "${text}" for --infra: use native or compose`);
}

function whole(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least || number > most)
    throw new TypeError(`Cannot use "${text}" for ${flag}: use a whole number from ${least} to ${most}`);
  return number;
}
