import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { type Comment, parseSync } from "oxc-parser";
import { signatureOf } from "./signature.ts";

/** A name that a door gives out, where it is declared, and what stands above it there. */
export interface ExportedSymbol {
  readonly name: string;
  /** Relative to the root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: "function" | "class" | "value" | "type";
  /** The docstring without its frame; `undefined` when there is none. */
  readonly doc: string | undefined;
  /** What callers see of it: its declaration without bodies, comments and private members, an overload a line. */
  readonly signature: string;
}

type Node = Readonly<Record<string, unknown>>;

/**
 * Every name that a door exports, followed through re-exports by path to its declaration.
 * @throws {Error} when a name leads nowhere: a symbol that is not found must not pass for one that is documented.
 */
export function exportedSymbols(root: string, door: string): ExportedSymbol[] {
  return exportsOf(root, join(root, door));
}

function exportsOf(root: string, path: string): ExportedSymbol[] {
  const file = parse(path);
  const found: ExportedSymbol[] = [];
  for (const node of file.body) {
    const source = literal(node["source"]);
    const target = source === undefined ? undefined : join(dirname(path), source);
    if (node["type"] === "ExportAllDeclaration" && target !== undefined) found.push(...exportsOf(root, target));
    if (node["type"] !== "ExportNamedDeclaration") continue;
    for (const specifier of nodes(node["specifiers"])) {
      const [local, exported] = [nameOf(specifier["local"]), nameOf(specifier["exported"])];
      const symbol = declared(root, target ?? path, local);
      const typeOnly = node["exportKind"] === "type" || specifier["exportKind"] === "type";
      found.push({ ...symbol, name: exported, ...(typeOnly && { kind: "type" as const }) });
    }
    if (isNode(node["declaration"])) found.push(...symbolsOf(root, path, file, node, node["declaration"]));
  }
  return found;
}

/** The declaration of `name` in a file, or where that file takes it from. */
function declared(root: string, path: string, name: string): ExportedSymbol {
  const file = parse(path);
  const own = file.body.flatMap((node) => {
    const declaration = node["type"] === "ExportNamedDeclaration" ? node["declaration"] : node;
    return isNode(declaration) ? symbolsOf(root, path, file, node, declaration) : [];
  });
  const overloads = own.filter((candidate) => candidate.name === name);
  const [symbol] = overloads;
  if (symbol !== undefined) {
    // Of overloads the last is the implementation, which nobody sees.
    const seen = overloads.length > 1 && symbol.kind === "function" ? overloads.slice(0, -1) : overloads;
    return { ...symbol, signature: seen.map(({ signature }) => signature).join("\n") };
  }
  for (const node of file.body) {
    const source = node["type"] === "ImportDeclaration" ? literal(node["source"]) : undefined;
    const taken = nodes(node["specifiers"]).find((specifier) => nameOf(specifier["local"]) === name);
    if (source?.startsWith(".") === true && taken !== undefined) {
      return declared(root, join(dirname(path), source), nameOf(taken["imported"]));
    }
  }
  const [passedOn] = exportsOf(root, path).filter((candidate) => candidate.name === name);
  if (passedOn === undefined) throw new Error(`Cannot find the declaration of ${name} in ${relative(root, path)}`);
  return passedOn;
}

function symbolsOf(root: string, path: string, file: Source, statement: Node, declaration: Node): ExportedSymbol[] {
  const start = Number(statement["start"]);
  const line = file.text.slice(0, start).split("\n").length;
  const doc = docBefore(file, start);
  const names =
    declaration["type"] === "VariableDeclaration"
      ? nodes(declaration["declarations"]).map((one) => ({
          name: nameOf(one["id"]),
          kind: kindOf(one["init"]),
          signature: `const ${signatureOf(file, one)}`,
        }))
      : [{ name: nameOf(declaration["id"]), kind: kindOf(declaration), signature: signatureOf(file, declaration) }];
  return names.filter(({ name }) => name !== "").map((named) => ({ ...named, file: relative(root, path), line, doc }));
}

function kindOf(value: unknown): ExportedSymbol["kind"] {
  switch (isNode(value) ? value["type"] : undefined) {
    case "FunctionDeclaration":
    case "TSDeclareFunction":
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return "function";
    case "ClassDeclaration":
      return "class";
    case "TSInterfaceDeclaration":
    case "TSTypeAliasDeclaration":
      return "type";
    default:
      return "value";
  }
}

interface Source {
  readonly text: string;
  readonly body: readonly Node[];
  readonly comments: readonly Comment[];
}

const sources = new Map<string, Source>();

function parse(path: string): Source {
  const known = sources.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, "utf8");
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error) throw new SyntaxError(`Cannot parse ${path}: ${error.message}`);
  const source = { text, body: program.body as unknown as readonly Node[], comments };
  sources.set(path, source);
  return source;
}

/** The last docstring before `start` with nothing but space, or a comment for the linter, in between. */
function docBefore({ text, comments }: Source, start: number): string | undefined {
  for (const comment of comments.filter(({ end }) => end <= start).toReversed()) {
    const between = text.slice(comment.end, start).replaceAll(/\/\/.*/gu, "");
    if (between.trim() !== "") return undefined;
    if (comment.type === "Block" && comment.value.startsWith("*")) return unframed(comment.value);
  }
  return undefined;
}

function unframed(value: string): string {
  return value
    .slice(1)
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/u, ""))
    .join("\n")
    .trim();
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return "";
  return typeof node["name"] === "string" ? node["name"] : (literal(node) ?? "");
}

function literal(node: unknown): string | undefined {
  return isNode(node) && typeof node["value"] === "string" ? node["value"] : undefined;
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
