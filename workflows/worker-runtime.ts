import { context, trace } from "@opentelemetry/api";
import { Runtime, type Logger, type LogLevel } from "@temporalio/worker";
import type { Log } from "#runtime";

// The SDK's own "info" is about its inner states: noise to whoever runs the app, useful to whoever debugs it.
const LEVELS: Readonly<Record<LogLevel, "debug" | "info" | "warn" | "error">> = {
  TRACE: "debug",
  DEBUG: "debug",
  INFO: "debug",
  WARN: "warn",
  ERROR: "error",
};

let installed = false;

/**
 * Sets up the SDK's process-wide runtime, once: its log lines go to `log`, and it takes no process signals (it would
 * stop the workers on its own; whoever starts them stops them).
 */
export function installRuntime(log: Log): void {
  if (installed) return;
  installed = true;
  Runtime.install({
    logger: loggerOf(log),
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: { core: "WARN", other: "ERROR" }, forward: {} } },
  });
}

function loggerOf(log: Log): Logger {
  const write = (level: LogLevel, message: string, meta: Record<string | symbol, unknown> = {}): void => {
    const { workflowId, taskQueue, activityType, error } = meta;
    const fields = {
      message,
      workflowId,
      taskQueue,
      activityType,
      traceId: trace.getSpanContext(context.active())?.traceId,
      error: error === undefined ? undefined : String(error),
    };
    log(LEVELS[level], "temporal:sdk", fields);
  };
  return {
    log: write,
    trace: (message, meta) => write("TRACE", message, meta),
    debug: (message, meta) => write("DEBUG", message, meta),
    info: (message, meta) => write("INFO", message, meta),
    warn: (message, meta) => write("WARN", message, meta),
    error: (message, meta) => write("ERROR", message, meta),
  };
}
