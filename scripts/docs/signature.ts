import type { Comment } from "oxc-parser";

type Node = Readonly<Record<string, unknown>>;
type Range = readonly [start: number, end: number];

/**
 * What callers see of a declaration: its text without the bodies of functions, comments, private members, and the values of
 * members whose types are said.
 */
export function signatureOf(
  { text, comments }: { readonly text: string; readonly comments: readonly Comment[] },
  node: Node,
): string {
  const [start, end] = rangeOf(node);
  const inside = comments.map(rangeOf).filter(([from, to]) => from >= start && to <= end);
  const cut = [...inside, ...hidden(node)].toSorted((a, b) => a[0] - b[0] || b[1] - a[1]);
  let at = start;
  let kept = "";
  for (const [from, to] of cut) {
    if (from > at) kept += text.slice(at, from);
    at = Math.max(at, to);
  }
  kept += text.slice(at, end);
  return kept
    .replaceAll(/\s+/gu, " ")
    .replaceAll(/ ?; ?(?=;|$|\})/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();
}

/** The parts of a declaration that no caller sees. */
function hidden(node: Node): Range[] {
  const { type, body, value } = node;
  if (isFunction(node) && isNode(body)) {
    const rest = Object.entries(node).flatMap(([name, part]) => (name === "body" ? [] : below(part)));
    return [...rest, rangeOf(body)];
  }
  if (isMember(node)) {
    const { key, accessibility } = node;
    if (accessibility === "private" || (isNode(key) && key["type"] === "PrivateIdentifier")) return [rangeOf(node)];
    if (type === "PropertyDefinition" && isNode(value) && node["typeAnnotation"] != null) {
      return [[rangeOf(node["typeAnnotation"] as Node)[1], rangeOf(value)[1]]];
    }
  }
  return Object.values(node).flatMap(below);
}

function below(part: unknown): Range[] {
  if (Array.isArray(part)) return part.flatMap(below);
  return isNode(part) && typeof part["type"] === "string" ? hidden(part) : [];
}

function isFunction({ type }: Node): boolean {
  return type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";
}

function isMember({ type }: Node): boolean {
  return type === "PropertyDefinition" || type === "MethodDefinition" || type === "TSAbstractMethodDefinition";
}

function rangeOf(node: Node | Comment): Range {
  const { start, end } = node as { readonly start: number; readonly end: number };
  return [start, end];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
