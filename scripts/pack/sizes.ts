import { join } from "node:path";

/** How large a door of a built package is. */
export interface DoorSize {
  readonly door: string;
  /** Bytes, minified. */
  readonly minified: number;
  /** Bytes, minified and compressed by gzip. */
  readonly compressed: number;
}

/** What each door brings into a bundle: our own code, without the packages it imports. */
export async function doorSizes(
  folder: string,
  exports: Readonly<Record<string, string | { readonly default: string }>>,
): Promise<readonly DoorSize[]> {
  const sizes: DoorSize[] = [];
  for (const [door, entry] of Object.entries(exports)) {
    if (typeof entry === "string") continue;
    const built = await Bun.build({
      entrypoints: [join(folder, entry.default)],
      target: "bun",
      packages: "external",
      minify: true,
    });
    const text = (await built.outputs[0]?.text()) ?? "";
    sizes.push({ door, minified: Buffer.byteLength(text), compressed: Bun.gzipSync(text).byteLength });
  }
  return sizes;
}

/** The sizes as a table. */
export function sizeTable(sizes: readonly DoorSize[]): string {
  const kb = (bytes: number): string => (bytes / 1_024).toFixed(1).padStart(7);
  const lines = sizes.map(({ door, minified, compressed }) => `${door.padEnd(18)} ${kb(minified)} ${kb(compressed)}`);
  return ["door               min KB gzip KB", ...lines].join("\n");
}
