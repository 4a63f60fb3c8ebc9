/** The run of `bun run stack`. */
import { bringServers } from "#infra/stack/bring.ts";
import { killRecorded } from "#infra/stack/leftovers.ts";
import { startStack } from "#infra/stack/mod.ts";
import { display } from "#infra/stack/report.ts";
import { prepareBundles } from "./bundles.ts";
import { type DevOptions, parseOptions, USAGE } from "./options.ts";
import { stopSignal } from "./stop-signals.ts";
import { addressTable } from "./table.ts";

/** Starts the servers, prints their addresses (`--json`: one JSON object), and stops them on a signal. Answers the exit code. */
export async function stackOnly(args: readonly string[], elapsedMs: () => number): Promise<number> {
  let options: DevOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (options.bring) return await bring(options, elapsedMs);
  const stop = stopSignal(() => {
    killRecorded(options.dataDir);
    process.exit(130);
  });
  const shown = display(options.json ? process.stderr : process.stdout);
  try {
    await using stack = await startStack({
      servers: options.servers,
      dataDir: options.dataDir,
      report: shown.report,
      signal: stop,
      ...(options.infra === undefined ? {} : { infra: options.infra }),
    });
    shown.close();
    if (options.json) console.log(JSON.stringify({ env: stack.env, servers: stack.servers, missing: stack.missing }));
    else
      console.log(
        [...addressTable([], stack), "", `servers up in ${(elapsedMs() / 1000).toFixed(1)}s, Ctrl-C stops them`].join(
          "\n",
        ),
      );
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
    return 0;
  } catch (error) {
    shown.close();
    if (stop.aborted) return 0;
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

/** Answers 0 also when a server cannot be had: a start would go on without it, and say so. */
async function bring(options: DevOptions, elapsedMs: () => number): Promise<number> {
  const shown = display();
  const bundles = prepareBundles();
  // Its build takes long: only where it was asked for.
  const servers = process.env["TROUPE_KUBE"] === "1" ? [...options.servers, "kubernetes" as const] : options.servers;
  const missing = await bringServers(servers, shown.report);
  shown.close();
  await bundles.ready((line) => console.log(line));
  const here = servers.length - missing.length;
  console.log(`${here} of ${servers.length} servers could start, after ${(elapsedMs() / 1000).toFixed(1)}s`);
  return 0;
}
