import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportedSymbols } from "../docs/exports.ts";

/** Where the reports are. */
const FOLDER = "infra/docs/api";
const HEAD =
  "<!-- Written by `bun scripts/api.ts --accept`: what a door of the package gives out. A line that goes breaks somebody. -->\n";

/** What each door exports, by the name of its file: `http.md`. */
export async function apiReports(root: string): Promise<ReadonlyMap<string, string>> {
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string>>;
  };
  return new Map(
    Object.entries(exports).map(([door, path]) => {
      const lines = new Map<string, Set<string>>();
      for (const [name, symbols] of Map.groupBy(exportedSymbols(root, path), ({ name: of }) => of)) {
        // Overloads that stand in the door itself come one by one, the implementation last.
        const overloaded = symbols.length > 1 && symbols[0]?.kind === "function";
        const seen = overloaded ? symbols.slice(0, -1) : symbols;
        lines.set(name, new Set(seen.map(({ signature }) => signature)));
      }
      const sorted = [...lines].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const text = sorted.map(
        ([name, signatures]) => `## ${name}\n\n\`\`\`ts\n${[...signatures].join("\n")}\n\`\`\`\n`,
      );
      const title = door === "." ? "troupe" : `troupe/${door.slice(2)}`;
      return [`${title.replaceAll("/", "-")}.md`, `${HEAD}\n# \`${title}\`\n\n${text.join("\n")}`];
    }),
  );
}

/** What differs from the files, a line each: `http.md - …` is gone, `http.md + …` is new. `accept` writes them. */
export async function compareApi(root: string, accept: boolean): Promise<string[]> {
  const folder = join(root, FOLDER);
  const reports = await apiReports(root);
  const differing: string[] = [];
  for (const file of await readdir(folder)) {
    if (reports.has(file) || !file.startsWith("troupe")) continue;
    differing.push(`${file} - the door is gone`);
    if (accept) await rm(join(folder, file));
  }
  for (const [file, text] of reports) {
    const before = await readFile(join(folder, file), "utf8").catch(() => "");
    differing.push(...changes(before, text).map((line) => `${file} ${line}`));
    if (accept && before !== text) await writeFile(join(folder, file), text);
  }
  return differing;
}

function changes(before: string, after: string): string[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const [had, has] = [new Set(old), new Set(now)];
  const lines = [
    ...old.filter((line) => !has.has(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !had.has(line)).map((line) => `+ ${line}`),
  ].filter((line) => line.length > 2);
  return lines.length === 0 && before !== after ? ["  the order of its lines"] : lines;
}
