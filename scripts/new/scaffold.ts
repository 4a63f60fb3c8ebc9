import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Glob } from "bun";
import { run } from "#infra/stack/command.ts";
import type { ActorNames } from "./names.ts";
import { actorFiles } from "./templates.ts";

const FORMATTER = "node_modules/oxfmt/bin/oxfmt";

/**
 * Makes `actors/<name>`, or `actors/<product>/<name>`, in the checkout at `root`. Registers it nowhere. Answers the folder and
 * its files, relative to `root`.
 * @throws {RangeError} the folder is there already, or `root` is no checkout.
 */
export async function scaffoldActor(
  root: string,
  product: string | undefined,
  names: ActorNames,
): Promise<{ readonly folder: string; readonly files: readonly string[] }> {
  const folder = ["actors", product, names.actor].filter((part) => part !== undefined).join("/");
  if (!existsSync(join(root, "actors"))) {
    throw new RangeError(`Cannot make ${folder} in ${root} as there is no folder "actors": --dir names a checkout`);
  }
  const [taken] = new Glob(`actors/**/${names.actor}`).scanSync({ cwd: root, onlyFiles: false });
  if (taken !== undefined) {
    throw new RangeError(`Cannot make ${folder} as ${taken} is there already: choose another name, or remove it first`);
  }
  const files = Object.entries(actorFiles(names)).map(([name, text]) => ({ path: `${folder}/${name}`, text }));
  await mkdir(join(root, folder), { recursive: true });
  for (const { path, text } of files) await writeFile(join(root, path), text);
  const paths = files.map(({ path }) => path);
  // A long name breaks lines that a short one does not.
  await run(process.execPath, ["--bun", FORMATTER, ...paths], { cwd: root });
  return { folder, files: paths };
}
