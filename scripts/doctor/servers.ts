/** Each server: where it would come from, and whether one runs. */
import { inspect, type Presence } from "#infra/stack/inspect.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { type Env, SERVER_NAMES, type ServerName } from "#infra/stack/types.ts";
import type { Finding } from "./finding.ts";

/** The variables of the servers that should be running: from the environment and from the state file of a running stack. */
export type KnownServers = Readonly<Partial<Record<ServerName, Env>>>;

/** Looks at every server; those in `known` are asked whether they answer. The last line says what the first start will bring, if anything. */
export async function inspectServers(known: KnownServers): Promise<Finding[]> {
  const present = new Map<ServerName, Presence>();
  const findings = await Promise.all(
    SERVER_NAMES.map(async (name) => {
      const env = known[name];
      if (env !== undefined) return await askServer(name, env);
      const presence = await inspect[name]();
      present.set(name, presence);
      return { area: "server", name: RECIPES[name].title, ...describe(presence) } satisfies Finding;
    }),
  );
  const first = firstStart([...present.values()]);
  return first === undefined ? findings : [...findings, first];
}

/** What a start would have to wait for: one call of the package manager, and the downloads beside it. */
export function firstStart(presences: readonly Presence[]): Finding | undefined {
  const installable = presences.filter((presence) => presence.kind === "installable");
  if (installable.length === 0) return undefined;
  const packages = installable.flatMap(({ apt }) => apt ?? []);
  const megabytes = installable.reduce((sum, presence) => sum + (presence.megabytes ?? 0), 0);
  const parts = [
    ...(packages.length === 0 ? [] : [`one apt-get install of ${packages.join(" ")}`]),
    ...(megabytes === 0 ? [] : [`downloads of ${megabytes} MB`]),
  ];
  const detail = parts.length === 0 ? "builds what is missing" : `waits for ${parts.join(", and beside it ")}`;
  return { area: "server", name: "first start", status: "later", detail };
}

async function askServer(name: ServerName, env: Env): Promise<Finding> {
  const recipe = RECIPES[name];
  const base = { area: "server", name: recipe.title } as const;
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
