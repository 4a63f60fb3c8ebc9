/**
 * The pages as a browser gets them: made once per process from `shop/`, `console/` and `api/`, and kept in memory.
 *
 * B1 The name of a script or style holds a hash of its content, so it may be kept for ever; so may fonts, which never change
 *    under their name. The documents that name them may not be kept at all.
 * B2 Everything is served from here: no page asks another host for anything.
 * B3 It is made beside the event loop, which turns and requests need meanwhile.
 * B4 An image has it made already: a folder `built` beside this file wins over the sources, which are not there then.
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** The documents: each is the start of one application, which draws every path below its own. */
export const DOCUMENTS = { shop: "shop/shop.html", console: "console/console.html", api: "api/api.html" } as const;
export type DocumentName = keyof typeof DOCUMENTS;

/** Where scripts, styles and fonts are served from. */
export const ASSETS_PATH = "/assets/";

/** Fonts, as their packages have them; only letters of Latin scripts, which is what the pages are written in. */
const FONTS = [
  { name: "inter.woff2", from: "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2" },
  {
    name: "jetbrains-mono.woff2",
    from: "@fontsource-variable/jetbrains-mono/files/jetbrains-mono-latin-wght-normal.woff2",
  },
] as const;

/** One file, in each form a browser may ask for. */
export interface Asset {
  readonly type: string;
  readonly plain: Uint8Array;
  readonly gzip: Uint8Array | undefined;
  readonly brotli: Uint8Array | undefined;
}

/** All files. */
export interface Bundle {
  readonly documents: Readonly<Record<DocumentName, Asset>>;
  /** By name, without {@link ASSETS_PATH}. */
  readonly assets: ReadonlyMap<string, Asset>;
}

let made: Promise<Bundle> | undefined;

/**
 * The bundle of this process: the first call makes it (under a second), the others get the same one. A failed one is made anew.
 * @throws {AggregateError} what Bun says of a source that cannot be bundled.
 */
export function bundle(): Promise<Bundle> {
  made ??= make().catch((error: unknown) => {
    made = undefined;
    throw error;
  });
  return made;
}

/** For WebBundle.B4. */
const BUILT = join(import.meta.dirname, "built");

/** Makes the folder of WebBundle.B4, for an image whose packages and sources of pages are left out. */
export async function writeBundle(): Promise<void> {
  const files = await buildFiles();
  await mkdir(BUILT, { recursive: true });
  for (const { name, plain } of files) await writeFile(join(BUILT, name), plain);
}

async function make(): Promise<Bundle> {
  const files = existsSync(BUILT) ? await readFiles() : await buildFiles();
  const assets = new Map(
    await Promise.all(
      files.map(async ({ name, type, plain }): Promise<[string, Asset]> => [name, await compressed(type, plain)]),
    ),
  );
  const take = (name: DocumentName): Asset => {
    const document = assets.get(`${name}.html`);
    if (document === undefined) throw new Error(`Cannot serve ${name}: Bun has made no ${name}.html`);
    assets.delete(`${name}.html`);
    return document;
  };
  return { documents: { shop: take("shop"), console: take("console"), api: take("api") }, assets };
}

interface BuiltFile {
  readonly name: string;
  readonly type: string;
  readonly plain: Uint8Array;
}

async function readFiles(): Promise<BuiltFile[]> {
  return await Promise.all(
    (await readdir(BUILT)).map(async (name) => {
      const file = Bun.file(join(BUILT, name));
      return { name, type: file.type.replace(";charset", "; charset"), plain: await file.bytes() };
    }),
  );
}

async function buildFiles(): Promise<BuiltFile[]> {
  const { outputs } = await Bun.build({
    entrypoints: Object.values(DOCUMENTS).map((path) => `${import.meta.dirname}/${path}`),
    target: "browser",
    splitting: true,
    minify: true,
    publicPath: ASSETS_PATH,
    define: { "process.env.NODE_ENV": '"production"' },
    external: FONTS.map(({ name }) => ASSETS_PATH + name),
    naming: { entry: "[name].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
  });
  return await Promise.all([
    ...outputs.map(async (output) => ({
      name: output.path.slice(output.path.lastIndexOf("/") + 1),
      type: output.type.replace(";charset", "; charset"),
      plain: new Uint8Array(await output.arrayBuffer()),
    })),
    ...FONTS.map(async ({ name, from }) => ({
      name,
      type: "font/woff2",
      plain: await Bun.file(Bun.fileURLToPath(import.meta.resolve(from))).bytes(),
    })),
  ]);
}

const gzipped = promisify(gzip);
const brotlied = promisify(brotliCompress);

/** WebBundle.B3. Fonts are compressed already. */
async function compressed(type: string, plain: Uint8Array): Promise<Asset> {
  if (!/text|javascript|json|svg/.test(type)) return { type, plain, gzip: undefined, brotli: undefined };
  return {
    type,
    plain,
    gzip: await gzipped(plain),
    brotli: await brotlied(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  };
}
