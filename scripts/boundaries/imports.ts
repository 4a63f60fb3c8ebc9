import { parseSync } from "oxc-parser";

/** One import as written: `specifier` at `line` (from 1). `typeOnly` where nothing of it is left at run time. */
export interface ImportSite {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

type Node = Readonly<Record<string, unknown>>;

/**
 * Every import of a TypeScript file: `import`, `export … from`, `import("…")` as value and as type, `import x =
 * require("…")` and `require("…")`. A specifier that is computed has no answer before run time and is left out.
 *
 * @throws {SyntaxError} when the file cannot be parsed: a file that is not understood must not pass for one without imports.
 */
export function importsOf(file: string, source: string): ImportSite[] {
  const { program, errors } = parseSync(file, source);
  const [error] = errors;
  if (error) throw new SyntaxError(`Cannot parse ${file}: ${error.message}`);
  const lineAt = lineCounter(source);
  const sites: ImportSite[] = [];
  walk(program, (node) => {
    const found = specifierOf(node);
    if (found) sites.push({ ...found, line: lineAt(Number(node["start"])) });
  });
  return sites;
}

function specifierOf(node: Node): { specifier: string; typeOnly: boolean } | undefined {
  switch (node["type"]) {
    case "ImportDeclaration":
    case "ExportNamedDeclaration":
      return literal(node["source"], isTypeOnly(node));
    case "ExportAllDeclaration":
      return literal(node["source"], node["exportKind"] === "type");
    case "ImportExpression":
      return literal(node["source"], false);
    case "TSImportType":
      return literal(node["source"] ?? node["argument"], true);
    case "TSExternalModuleReference":
      return literal(node["expression"], false);
    case "CallExpression":
      return isRequire(node["callee"]) ? literal(list(node["arguments"])[0], false) : undefined;
    default:
      return undefined;
  }
}

/** `import type …`, or every name of the list marked `type`. */
function isTypeOnly(node: Node): boolean {
  if (node["importKind"] === "type" || node["exportKind"] === "type") return true;
  const names = list(node["specifiers"]);
  return names.length > 0 && names.every((name) => name["importKind"] === "type" || name["exportKind"] === "type");
}

function isRequire(callee: unknown): boolean {
  return isNode(callee) && callee["type"] === "Identifier" && callee["name"] === "require";
}

function literal(node: unknown, typeOnly: boolean): { specifier: string; typeOnly: boolean } | undefined {
  if (!isNode(node)) return undefined;
  const value = node["type"] === "TSLiteralType" ? (node["literal"] as Node)["value"] : node["value"];
  return typeof value === "string" ? { specifier: value, typeOnly } : undefined;
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) walk(item, visit);
  } else if (isNode(value)) {
    if (typeof value["type"] === "string") visit(value);
    for (const child of Object.values(value)) if (typeof child === "object") walk(child, visit);
  }
}

function list(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}

function lineCounter(source: string): (offset: number) => number {
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => starts.findLastIndex((start) => start <= offset) + 1;
}
