/** The run of `bun run doctor`. */
import { parseArgs } from "node:util";
import { readLiveRecord } from "#infra/stack/mod.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { type Env, SERVER_NAMES, type ServerName } from "#infra/stack/types.ts";
import { inspectClock } from "./clock.ts";
import { inspectDurability } from "./durability.ts";
import type { Finding } from "./finding.ts";
import { inspectRuntimes } from "./runtimes.ts";
import { inspectServers, type KnownServers } from "./servers.ts";
import { inspectSettings } from "./settings.ts";
import { inspectStores } from "./stores.ts";

const MARKS = { ok: "✓", later: "↓", off: "·", bad: "✗" } as const;
const HEADINGS = {
  runtime: "Runtimes and tools",
  server: "Servers",
  durability: "Durability of what runs",
  clock: "The clock",
  stores: "The stores of an app that starts here",
  settings: "Settings of an app that starts here",
} as const;

/** Prints the findings (`--json`: as JSON); answers 1 when something needs a fix, else 0. `--data DIR` names the stack to look at. */
export async function doctor(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false }, data: { type: "string" } },
  });
  const known = knownServers(values.data ?? ".troupe");
  const looks = [
    inspectRuntimes(),
    inspectServers(known),
    inspectDurability(known),
    inspectClock(known),
    inspectStores(values.data),
  ];
  const findings = (await Promise.all(looks)).flat();
  findings.push(...inspectSettings(values.data));
  console.log(values.json ? JSON.stringify(findings, undefined, 2) : asText(findings));
  return findings.some((finding) => finding.status === "bad") ? 1 : 0;
}

/** The environment wins, as it does for a start. */
function knownServers(dataDir: string): KnownServers {
  const known: Partial<Record<ServerName, Env>> = {};
  for (const server of readLiveRecord(dataDir)?.servers ?? [])
    if (server.address !== "") known[server.name] = { ...server.env };
  for (const name of SERVER_NAMES) {
    const recipe = RECIPES[name];
    const named = process.env[recipe.variable];
    if (named === undefined || named === "") continue;
    const companions = Object.keys(recipe.companions ?? {}).flatMap((key) =>
      process.env[key] === undefined ? [] : [[key, process.env[key]]],
    );
    known[name] = { [recipe.variable]: named, ...(Object.fromEntries(companions) as Env) };
  }
  return known;
}

function asText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map((finding) => finding.name.length));
  return (["runtime", "server", "durability", "clock", "stores", "settings"] as const)
    .map((area) => {
      const lines = findings
        .filter((finding) => finding.area === area)
        .flatMap((finding) => [
          `  ${MARKS[finding.status]} ${finding.name.padEnd(width)}  ${finding.detail}`,
          ...(finding.fix === undefined ? [] : [`    ${" ".repeat(width)}  fix: ${finding.fix}`]),
        ]);
      return [HEADINGS[area], ...(lines.length === 0 ? ["  nothing runs; start it with bun run dev"] : lines)].join(
        "\n",
      );
    })
    .join("\n\n");
}
