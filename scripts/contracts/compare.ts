import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Glob } from "bun";
import type { ActorContract } from "#infra/contracts/contract.ts";
import { contractDifferences, describeDifference } from "#infra/contracts/differences.ts";

/** What was found, for people, and whether anything was. */
export interface Comparison {
  readonly lines: readonly string[];
  readonly differ: boolean;
}

const FILE = "contract.json";

/**
 * Compares contracts with the files `contract.json` of the actors' folders below `folder`, and writes these when `accept`
 * says so: those of types that are gone have to be removed by hand. A type's folder has its name and its `<type>.ts`.
 */
export async function compareContracts(
  folder: string,
  contracts: readonly ActorContract[],
  accept: boolean,
): Promise<Comparison> {
  const lines: string[] = [];
  for (const is of contracts) {
    const file = join(folder, folderOf(folder, is.type), FILE);
    const text = `${JSON.stringify(is, null, 2)}\n`;
    const before = existsSync(file) ? await readFile(file, "utf8") : undefined;
    if (before === text) continue;
    lines.push(...explain(is, before));
    if (!accept) continue;
    await writeFile(file, text);
  }
  const known = new Set(contracts.map(({ type }) => type));
  for (const found of new Glob(`**/${FILE}`).scanSync(folder)) {
    const name = basename(dirname(found));
    if (!known.has(name))
      lines.push(`${name}  has a ${FILE} and is no actor type of the app: remove it once no node runs it`);
  }
  if (lines.length > 0)
    lines.push(accept ? "Accepted" : 'See the difference, then accept it: "bun run contracts --accept"');
  return { lines, differ: lines.length > 0 };
}

/** Where the definition of a type stands: `<product>/<type>`, or `<type>` of a product of one actor. */
function folderOf(folder: string, type: string): string {
  for (const found of new Glob(`**/${type}/${type}.ts`).scanSync(folder)) return dirname(found);
  throw new RangeError(`Cannot find ${type}/${type}.ts below ${folder}: an actor type stands in a folder of its name`);
}

function explain(is: ActorContract, before: string | undefined): string[] {
  if (before === undefined) return [`${is.type}  is new`];
  const differences = contractDifferences(JSON.parse(before) as ActorContract, is);
  if (differences.length === 0) return [`${is.type}  has changed; nodes of both versions can run beside each other`];
  return [
    `${is.type}  cannot run beside nodes of the version before:`,
    ...differences.map((difference) => `  ${describeDifference(difference)}`),
  ];
}
