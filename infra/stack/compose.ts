/** Servers as containers, through `docker compose` and the project's compose.yaml. */
import { join } from "node:path";
import { run, which } from "./command.ts";
import type { Program, Recipe } from "./recipe.ts";
import { type Env, type ServerName, UnavailableError } from "./types.ts";

const FILE = join(import.meta.dirname, "..", "..", "compose.yaml");
/** On top of it: without secrets of files, which a first start of `bun run dev` has none of. */
const FOR_DEVELOPMENT = join(import.meta.dirname, "compose.dev.yaml");
const LOOK_MS = 10_000;

/** Which servers come as containers, and how compose is called for this data folder. */
export interface Composition {
  has(name: ServerName): boolean;
  /** Runs a compose command for this stack's own project. */
  compose(args: readonly string[], env: Readonly<Env>): Promise<string>;
}

/**
 * Decides which servers come as containers. With `compose` all that can; without a wish those whose image is already on this machine
 * (so that nothing is pulled unasked); with `native` none. Throws `UnavailableError` when compose was asked for and is not there.
 */
export async function findComposition(
  infra: "native" | "compose" | undefined,
  id: string,
  recipes: readonly Recipe[],
): Promise<Composition | undefined> {
  if (infra === "native") return undefined;
  const command = await composeCommand();
  if (command === undefined) {
    if (infra === undefined) return undefined;
    throw new UnavailableError(
      "--infra compose needs Docker with its compose plugin, and there is none",
      "docker compose version",
    );
  }
  const [program, ...prefix] = command;
  const compose = (args: readonly string[], env: Readonly<Env>): Promise<string> =>
    run(program, [...prefix, "--file", FILE, "--file", FOR_DEVELOPMENT, "--project-name", `troupe-${id}`, ...args], {
      env: { ...env },
    });
  const able = recipes.filter((recipe) => recipe.compose !== undefined).map((recipe) => recipe.name);
  const names = infra === "compose" ? able : await withLocalImage(able, compose);
  return names.length === 0 ? undefined : { has: (name) => names.includes(name), compose };
}

/** The program that starts a recipe's container and waits for its health check. */
export function composeProgram(recipe: Recipe, composition: Composition | undefined): Program {
  return async (context) => {
    const container = recipe.compose;
    if (container === undefined || composition === undefined) throw new Error(`${recipe.title} has no container`);
    const ports: Record<string, number> = {};
    for (const [variable, usual] of Object.entries(container.ports)) ports[variable] = await context.port(usual);
    const asText = Object.fromEntries(Object.entries(ports).map(([key, port]) => [key, String(port)]));
    await composition.compose(["up", "--detach", "--wait", recipe.name], asText);
    const env = container.env(ports);
    return {
      processes: [],
      address: env[recipe.variable] ?? "",
      env,
      // The named volume keeps the data.
      cleanUp: async () => void (await composition.compose(["rm", "--stop", "--force", recipe.name], asText)),
    };
  };
}

/** `docker compose`, or the older program of its own; undefined when neither works or no engine answers. */
export async function composeCommand(): Promise<readonly [string, ...string[]] | undefined> {
  const candidates: (readonly [string, ...string[]])[] = [["docker", "compose"], ["docker-compose"]];
  for (const [program, ...args] of candidates) {
    if (which(program) === undefined) continue;
    try {
      await run(program, [...args, "version"], { withinMs: LOOK_MS });
      await run("docker", ["version"], { withinMs: LOOK_MS });
      return [program, ...args];
    } catch {
      // The next one.
    }
  }
  return undefined;
}

async function withLocalImage(names: readonly ServerName[], compose: Composition["compose"]): Promise<ServerName[]> {
  const present: ServerName[] = [];
  for (const name of names) {
    const images = await compose(["config", "--images", name], {}).catch(() => "");
    const image = images.trim().split("\n").at(-1) ?? "";
    if (image === "") continue;
    if (
      await run("docker", ["image", "inspect", image], { withinMs: LOOK_MS }).then(
        () => true,
        () => false,
      )
    )
      present.push(name);
  }
  return present;
}
