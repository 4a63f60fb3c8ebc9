import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage, packTarball } from "./build.ts";
import { doorSizes, sizeTable } from "./sizes.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const USAGE = `bun run pack    builds the library (JavaScript and types) and packs it

  --out DIR   where the tarball goes (default: .troupe/pack)
  --help      this text

Then, in your own project: bun add <tarball> valibot`;

/** The command. Prints the tarball's path as its last line; answers the exit code. */
export async function pack(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      out: { type: "string", default: join(ROOT, ".troupe", "pack") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const out = resolve(values.out);
  const folder = join(out, "package");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const { manifest, files } = await buildPackage(ROOT, folder);
  const tarball = await packTarball(folder, out);
  console.log(
    `${manifest.name} ${manifest.version}: ${files.length} files, doors ${Object.keys(manifest.exports).join(" ")}`,
  );
  console.log(sizeTable(await doorSizes(folder, manifest.exports)));
  console.log(tarball);
  return 0;
}
