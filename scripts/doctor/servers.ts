/** Each server: where it would come from, and whether one runs. */
import { inspect, type Presence } from "#infra/stack/inspect.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { type Env, SERVER_NAMES, type ServerName } from "#infra/stack/types.ts";
import type { Finding } from "./finding.ts";

/** The variables of the servers that should be running: from the environment and from the state file of a running stack. */
export type KnownServers = Readonly<Partial<Record<ServerName, Env>>>;

/** Looks at every server; those in `known` are asked whether they answer. */
export function inspectServers(known: KnownServers): Promise<Finding[]> {
  return Promise.all(SERVER_NAMES.map((name) => inspectServer(name, known[name])));
}

async function inspectServer(name: ServerName, env: Env | undefined): Promise<Finding> {
  const recipe = RECIPES[name];
  const base = { area: "server", name: recipe.title } as const;
  if (env !== undefined) {
    const address = env[recipe.variable] ?? "";
    try {
      await recipe.probe(env);
      return { ...base, status: "ok", detail: `answers at ${address}` };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        ...base,
        status: "bad",
        detail: `does not answer at ${address}: ${reason}`,
        fix: process.env[recipe.variable] === undefined ? "bun run dev" : `unset ${recipe.variable}`,
      };
    }
  }
  return { ...base, ...describe(await inspect[name]()) };
}

function describe(presence: Presence): Pick<Finding, "status" | "detail" | "fix"> {
  switch (presence.kind) {
    case "here":
      return {
        status: "ok",
        detail: `${presence.version === undefined ? "" : `${presence.version}, `}${presence.where}`,
      };
    case "installable":
      return { status: "later", detail: `not here; the first start ${presence.how}` };
    case "unavailable":
      return { status: "bad", detail: presence.reason, fix: presence.fix };
  }
}
