#!/usr/bin/env bun
/** `bun run start`: one app process against servers that run already. See `--help`. */
import { durationMs } from "#runtime";
import { readArguments, usage } from "./app/arguments.ts";
import { CertificateError } from "./app/certificate.ts";
import { openConnections } from "./app/connections.ts";
import { databasesOf } from "./app/databases.ts";
import { jsonLog } from "./app/json-log.ts";
import { writeDownUncaught } from "./app/last-words.ts";
import { followSettings } from "./app/live-settings.ts";
import { RecentLog } from "./app/recent-log.ts";
import { serveHttp } from "./app/serve.ts";
import { type LoadedSettings, loadSettings } from "./app/settings-sources.ts";
import { SettingsError } from "./app/settings.ts";
import { untilStopSignal } from "./app/stop-signal.ts";
import { startSystem } from "./app/system.ts";
import { openTelemetry } from "./app/telemetry.ts";
import { openTracing } from "./app/tracing.ts";

/** How long requests and turns under way may take to end, together. */
const DRAIN_MS = 10_000;
/** How long the last spans may take to leave. */
const FLUSH_MS = 2_000;
const EXIT_USAGE = 2;

type Environment = Readonly<Record<string, string | undefined>>;

function settingsOf(all: Environment): LoadedSettings {
  const loaded = loadSettings(all);
  const missing = Object.entries(databasesOf(loaded.settings)).filter(([, url]) => url === undefined);
  if (missing.length > 0) {
    const named = missing.map(([service]) => `${service.toUpperCase()}_DATABASE_URL`).join(", ");
    throw new SettingsError(
      `Cannot start without a database: set DATABASE_URL (or ${named}), or start the servers with "bun run dev" or "bun run stack"`,
    );
  }
  return loaded;
}

async function run(loaded: LoadedSettings, all: Environment): Promise<void> {
  const { settings } = loaded;
  const lines = new RecentLog();
  const log = jsonLog(settings.LOG_LEVEL, (line) => lines.write(line));
  writeDownUncaught(log);
  const tracing = openTracing(settings, all);
  const stopSignal = untilStopSignal();
  const connections = openConnections(settings, log);
  const live = followSettings(loaded, all, log);
  const telemetry = openTelemetry(
    {
      troupe: () => system.troupe(),
      sockets: () => server.sockets,
      invariants: () => system.shop()?.audit.samples() ?? [],
      blocked: () => connections.blocked,
      readiness: () => server.readiness(),
      openOrders: async () => (await system.shop()?.reports.openOrders()) ?? [],
    },
    { dataFolder: settings.TROUPE_DATA, revision: settings.TROUPE_REVISION, pools: () => connections.pools },
  );
  const system = startSystem({
    settings,
    live: () => live.current(),
    connections,
    telemetry,
    log,
    tracing: tracing.otel,
    traces: tracing.traces,
    address: () => server.address,
  });
  const server = serveHttp({ settings, live, connections, system, telemetry, tracing, lines, log });
  const history = telemetry.history.start();
  log("info", "app:listening", {
    address: server.address,
    pid: process.pid,
    roles: settings.TROUPE_ROLES,
    cluster: settings.TROUPE_CLUSTER,
  });
  const since = performance.now();
  void system.started.then(() => log("info", "app:started", { afterMs: Math.round(performance.now() - since) }));

  const signal = await stopSignal;
  const until = performance.now() + DRAIN_MS;
  const left = (): number => Math.max(0, until - performance.now());
  live.stop();
  void history.stop(); // a sample under way is waited for by nobody
  log("info", "app:stopping", { signal });
  server.announceStop();
  await Promise.all([system.leave(left()), Bun.sleep(durationMs(settings.TROUPE_STOP_GRACE))]);
  await server.stop(left());
  await system.stop(left());
  await connections.close();
  await Promise.race([tracing.otel?.close(), Bun.sleep(FLUSH_MS)]).catch(() => undefined);
  log("info", "app:stopped");
  process.exit(0);
}

try {
  const { help, environment } = readArguments(process.argv.slice(2));
  const all = { ...process.env, ...environment };
  if (help) console.log(usage());
  else await run(settingsOf(all), all);
} catch (error) {
  // A certificate that cannot be served is a setting that does not fit.
  if (!(error instanceof SettingsError) && !(error instanceof CertificateError)) throw error;
  console.error(error.message);
  process.exit(EXIT_USAGE);
}
