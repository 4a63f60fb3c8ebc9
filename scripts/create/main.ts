import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { run } from "#infra/stack/command.ts";
import { buildPackage, packTarball } from "../pack/build.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const TEMPLATE = join(import.meta.dirname, "template");

const USAGE = `bun run create DIR    makes a new project with an actor, its tests, a door and a page

  DIR              where to: a folder that is not there yet, or is empty
  --package FILE   the packed library to use (default: that of this checkout, packed into DIR)
  --help           this text`;

/** The command. Answers the exit code: 0 made, 1 not made, 2 not understood. */
export async function create(args: readonly string[]): Promise<number> {
  let given: { readonly values: { readonly package?: string; readonly help: boolean }; readonly positionals: string[] };
  try {
    given = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { package: { type: "string" }, help: { type: "boolean", short: "h", default: false } },
    });
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = given;
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0) {
    console.error(USAGE);
    return 2;
  }
  const target = resolve(folder);
  if (existsSync(target) && (await readdir(target)).length > 0) {
    console.error(`Cannot make a project in ${target} as it is not empty`);
    return 1;
  }
  await project(target, values.package);
  console.log(`Made ${target}\n\n  cd ${folder}\n  bun run dev     http://localhost:3000\n  bun test`);
  return 0;
}

/** Makes the project and installs what it needs. */
async function project(target: string, packed: string | undefined): Promise<void> {
  await cp(TEMPLATE, target, { recursive: true });
  const tarball = packed === undefined ? await pack(target) : resolve(packed);
  const { devDependencies, dependencies } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  const manifest = {
    name:
      basename(target)
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/gu, "-") || "service",
    private: true,
    type: "module",
    scripts: {
      dev: "bun --watch src/server.ts",
      start: "NODE_ENV=production bun src/server.ts",
      test: "bun test",
      types: "tsc --noEmit",
    },
    dependencies: { troupe: `file:${tarball}`, valibot: dependencies["valibot"] },
    devDependencies: { "bun-types": devDependencies["bun-types"], typescript: devDependencies["typescript"] },
  };
  await writeFile(join(target, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  await writeFile(join(target, ".gitignore"), "node_modules/\ndata/\n");
  await run(process.execPath, ["install"], { cwd: target });
}

/** The library of this checkout as a file of the project: it is not in a registry yet. */
async function pack(target: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "troupe-create-"));
  try {
    const built = join(folder, "package");
    await mkdir(built);
    await buildPackage(ROOT, built);
    await mkdir(join(target, "vendor"), { recursive: true });
    const file = await packTarball(built, join(target, "vendor"));
    return `./vendor/${basename(file)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
