/** Brings the programs of the servers without starting any: what CI does beside its checks, so that its tests need not wait. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import type { ObtainContext } from "./recipe.ts";
import { RECIPES } from "./recipes.ts";
import { type MissingServer, type Reporter, type ServerName, UnavailableError } from "./types.ts";

/**
 * Finds, downloads or installs what the named servers need, side by side; answers those that cannot be had. A server that the environment
 * names, or that the machine runs for everybody, needs nothing. `report` is told as by a start, except that nothing ever runs.
 */
export async function bringServers(names: readonly ServerName[], report: Reporter): Promise<MissingServer[]> {
  const outcomes = await Promise.all(names.map((name) => bringServer(name, report)));
  return outcomes.filter((outcome) => outcome !== undefined);
}

async function bringServer(name: ServerName, report: Reporter): Promise<MissingServer | undefined> {
  const recipe = RECIPES[name];
  if ((process.env[recipe.variable] ?? "") !== "") return undefined;
  const context: ObtainContext = {
    doing: (what, progress) =>
      report({ server: name, state: { kind: "obtaining", what, ...(progress === undefined ? {} : { progress }) } }),
    waiting: (reason) => report({ server: name, state: { kind: "waiting", reason } }),
    run: (command, args, options) =>
      run(command, args, { logFile: join(tmpdir(), `troupe-bring-${process.pid}-${name}.log`), ...options }),
  };
  try {
    if ((await recipe.discover?.()) === undefined) await recipe.obtain(context);
    report({ server: name, state: { kind: "stopped" } });
    return undefined;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    report({ server: name, state: { kind: "missing", reason: error.message, fix: error.fix, log: [] } });
    return { server: name, reason: error.message, fix: error.fix };
  }
}
