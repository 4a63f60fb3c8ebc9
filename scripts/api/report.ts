import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exportedSymbols } from "../docs/exports.ts";

/** Where the reports are. */
const FOLDER = "infra/docs/api";
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
      const blocks = sorted.map(([name, signatures]) => {
        const text = [...signatures].map(memberPerLine).join("\n");
        return `## ${name}\n\n\`\`\`ts\n${text}\n\`\`\`\n`;
      });
      const title = door === "." ? "troupe" : `troupe/${door.slice(2)}`;
      const head = `# \`${title}\`\n\nWhat the door gives out, as its callers see it: \`bun scripts/api.ts --accept\` writes this page. A line that goes breaks somebody.\n`;
      return [`${title.replaceAll("/", "-")}.md`, `${head}\n${blocks.join("\n")}`];
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

/** A line for each member of an interface or a class, so that a review shows which one changed. */
function memberPerLine(signature: string): string {
  if (!/^(?:interface|class) /u.test(signature)) return signature;
  let depth = 0;
  let text = "";
  for (const char of signature) {
    if ("{([".includes(char)) depth++;
    if ("})]".includes(char)) depth--;
    text += char;
    if (depth === 1 && (char === ";" || (char === "{" && text.indexOf("{") === text.length - 1))) text += "\n ";
  }
  return text;
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
