/** The run of `bun run dev`: servers, then app processes, then waiting, then everything down in order. */
import { join } from "node:path";
import { killRecorded } from "#infra/stack/leftovers.ts";
import { startStack, type Stack } from "#infra/stack/mod.ts";
import { Ports } from "#infra/stack/ports.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { display } from "#infra/stack/report.ts";
import { Timeline, whereTheTimeWent } from "#infra/stack/timeline.ts";
import { SERVER_NAMES } from "#infra/stack/types.ts";
import { AppProcess } from "./app-process.ts";
import { prepareBundles } from "./bundles.ts";
import { type DevOptions, parseOptions, USAGE } from "./options.ts";
import { untilReady } from "./readiness.ts";
import { stopSignal } from "./stop-signals.ts";
import { addressTable } from "./table.ts";

const APP_SCRIPT = join(import.meta.dirname, "..", "app.ts");

/** Runs until a signal ends it; answers the exit code. `elapsedMs` says how long the command has been running. */
export async function dev(args: readonly string[], elapsedMs: () => number): Promise<number> {
  let options: DevOptions;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  const stop = stopSignal(() => {
    killRecorded(options.dataDir);
    process.exit(130);
  });
  const installed = elapsedMs();
  const bundles = prepareBundles();
  const timeline = new Timeline();
  const shown = display();
  let stack: Stack;
  try {
    stack = await startStack({
      servers: options.servers,
      dataDir: options.dataDir,
      report: (event) => {
        timeline.note(event);
        shown.report(event);
      },
      signal: stop,
      ...(options.infra === undefined ? {} : { infra: options.infra }),
    });
  } catch (error) {
    shown.close();
    if (stop.aborted) return 0;
    console.error(messageOf(error));
    return 1;
  }
  shown.close();
  const database = stack.missing.find((server) => server.server === "postgres");
  if (database !== undefined) {
    console.error(`Cannot run without PostgreSQL: ${database.reason}\nfix: ${database.fix}`);
    await stack.stop();
    return 1;
  }
  const served = elapsedMs();
  await Promise.race([bundles.ready((line) => console.log(line)), aborted(stop)]);
  const bundled = elapsedMs();
  const apps = await startApps(options, stack);
  try {
    const missing = new Set<string>([
      ...SERVER_NAMES.filter((name) => !options.servers.includes(name)),
      ...stack.missing.map((server) => server.server),
    ]);
    await Promise.all(
      apps.nodes.map(({ address }) =>
        untilReady(address, missing, {
          signal: stop,
          stillWaiting: (reason) => console.log(`… waiting for ${reason}`),
        }),
      ),
    );
    console.log(
      [
        "",
        ...addressTable(
          apps.nodes.map((node) => node.shown),
          stack,
        ),
        "",
      ].join("\n"),
    );
    const parts = [
      { name: "dependencies", ms: installed },
      { name: "servers", ms: served - installed },
      // Beside the servers; only what was left of them afterwards.
      { name: "workflow bundles", ms: bundled - served },
      { name: "app", ms: elapsedMs() - bundled },
    ];
    console.log([...whereTheTimeWent(parts, timeline.ways()), ""].join("\n"));
    console.log(`ready ${apps.nodes[0]?.shown} in ${(elapsedMs() / 1000).toFixed(1)}s`);
    await aborted(stop);
  } catch (error) {
    if (!stop.aborted) throw error;
  } finally {
    console.log("Stopping: app, brokers, database …");
    await Promise.all(apps.nodes.map((node) => node.app.stop()));
    await stack.stop();
    apps.ports[Symbol.dispose]();
    console.log("Stopped");
  }
  return 0;
}

interface Node {
  readonly app: AppProcess;
  /** Where we reach it. */
  readonly address: string;
  /** What people open. */
  readonly shown: string;
}

async function startApps(options: DevOptions, stack: Stack): Promise<{ nodes: readonly Node[]; ports: Ports }> {
  const ports = new Ports();
  const nodes: Node[] = [];
  const changed = (): void => {
    stack.recordApps(
      nodes.flatMap(({ app, shown }) => (app.mark === undefined ? [] : [{ ...app.mark, address: shown }])),
    );
  };
  for (let number = 1; number <= options.nodes; number++) {
    const wanted = options.port + number - 1;
    const port = await ports.pickFrom(wanted);
    if (port !== wanted) console.log(`Port ${wanted} is taken, using ${port}`);
    const name = options.nodes === 1 ? "app" : `app-${number}`;
    const app = new AppProcess({
      name,
      script: APP_SCRIPT,
      env: appEnvironment(options, stack, port, number),
      logFile: join(options.dataDir, "logs", `app-${number}.log`),
      say: (line) => console.log(line),
      changed,
    });
    nodes.push({ app, address: `http://127.0.0.1:${port}`, shown: `http://localhost:${port}` });
    app.start();
  }
  return { nodes, ports };
}

/** Ours, minus what names a server that was left out, plus what the servers provide. */
function appEnvironment(
  options: DevOptions,
  stack: Stack,
  port: number,
  number: number,
): Record<string, string | undefined> {
  const inherited: Record<string, string | undefined> = { ...process.env };
  for (const name of SERVER_NAMES.filter((each) => !options.servers.includes(each))) {
    const recipe = RECIPES[name];
    for (const variable of [recipe.variable, ...Object.keys(recipe.companions ?? {})]) delete inherited[variable];
  }
  return {
    HOST: "127.0.0.1",
    TROUPE_CHECK_REPLIES: "on",
    // For the page of chaos; a process that serves others does no faults on purpose.
    ...(inherited["HOST"] === undefined ? { TROUPE_CHAOS: "on" } : {}),
    ...inherited,
    ...stack.env,
    PORT: String(port),
    TROUPE_DATA: options.dataDir,
    // One node seeds; the others would only repeat it.
    ...(options.seed && number === 1 ? {} : { TROUPE_SEED: "off" }),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
