import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, LineCounter, parseDocument, visit } from "yaml";
import type { Document, Node, YAMLMap } from "yaml";
import { pointerOf } from "#infra/json/pointer.ts";
import type { ConfigIssue, Finding } from "./issue.ts";

/** A configuration file may have this many UTF-16 code units at most. */
export const MAX_YAML_LENGTH = 256 * 1024;
const MAX_NODES = 10_000;
const MAX_DEPTH = 32;
const MAX_SYNTAX_ISSUES = 50;

/** A parsed file: its value, and where each part of it stands. */
export interface YamlFile {
  readonly value: unknown;
  /** The issue at the place of a finding. */
  locate(finding: Finding): ConfigIssue;
}

/** How a file is read. */
export interface ReadOptions {
  /** Which scalars keep the text they were written as, whatever it would stand for: `1.0`, `0x1F`, `true`. */
  readonly asWritten?: (at: readonly (string | number)[]) => boolean;
}

/**
 * Reads one YAML 1.2 document, strictly: no aliases, no tags, no key twice, no second document, no keys but text,
 * and bounds on size, depth and number of nodes. Every offence is named with its line and column.
 */
export function readYaml(
  text: string,
  { asWritten }: ReadOptions = {},
): { readonly file: YamlFile } | { readonly issues: readonly ConfigIssue[] } {
  if (text.length > MAX_YAML_LENGTH) return { issues: [whole(`is longer than ${MAX_YAML_LENGTH} characters`)] };
  // Looked at before parsing: the parser recurses, and a stack that overflows is a costly way to say no.
  if (flowDepth(text) > MAX_DEPTH) return { issues: [whole(`is nested deeper than ${MAX_DEPTH} levels`)] };
  if ((text.match(/[\n,]/g)?.length ?? 0) > MAX_NODES)
    return { issues: [whole(`has more than ${MAX_NODES} lines or values`)] };
  const counter = new LineCounter();
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      uniqueKeys: false,
      strict: true,
      merge: false,
      lineCounter: counter,
      prettyErrors: false,
    });
  } catch {
    return { issues: [whole("cannot be read: is it nested too deeply?")] };
  }
  const issues = document.errors
    .slice(0, MAX_SYNTAX_ISSUES)
    .map((error) => place(counter, error.pos[0], [], syntaxText(error.code, error.message)));
  if (issues.length === 0) issues.push(...forbidden(document, counter));
  if (issues.length > 0) return { issues: issues.map((issue) => withExcerpt(text, issue)) };
  if (asWritten) keepText(document, asWritten);
  const value = document.toJS({ maxAliasCount: 0 }) as unknown;
  return { file: { value, locate: (finding) => withExcerpt(text, locate(document, counter, finding)) } };
}

function keepText(document: Document.Parsed, asWritten: NonNullable<ReadOptions["asWritten"]>): void {
  visit(document, {
    Scalar(key, node, path) {
      if (key === "key" || typeof node.value === "string" || node.source === undefined || node.source === "") return;
      const at = path.flatMap((parent, depth): (string | number)[] => {
        if (isPair(parent)) return isScalar(parent.key) ? [String(parent.key.value)] : [];
        return isSeq(parent) ? [parent.items.indexOf(path[depth + 1] ?? node)] : [];
      });
      if (asWritten(at)) node.value = node.source;
    },
  });
}

function forbidden(document: Document.Parsed, counter: LineCounter): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  let nodes = 0;
  const add = (node: Node | null, message: string): void =>
    void issues.push(place(counter, node?.range?.[0] ?? 0, [], message));
  visit(document, {
    Pair(_, pair) {
      const key = pair.key as Node | null;
      if (!isScalar(key) || typeof key.value !== "string") add(key, "a key must be text");
      else if (RESERVED.has(key.value)) add(key, "this key cannot be used");
    },
    Node(_, node, path) {
      if (++nodes > MAX_NODES) {
        issues.push(whole(`has more than ${MAX_NODES} values`));
        return visit.BREAK;
      }
      if (path.length > 2 * MAX_DEPTH) {
        add(node, `is nested deeper than ${MAX_DEPTH} levels`);
        return visit.BREAK;
      }
      if (isMap(node)) repeatedKeys(node).forEach((key) => add(key, "the same key stands here twice"));
      if (isAlias(node)) add(node, "aliases are not allowed");
      else if (node.tag !== undefined && !isPlainTag(node.tag)) add(node, "tags are not allowed");
      if (!isAlias(node) && node.anchor !== undefined) add(node, "anchors are not allowed");
      return issues.length >= MAX_SYNTAX_ISSUES ? visit.BREAK : undefined;
    },
  });
  return issues;
}

/** The parser's own check compares every key with every other; this one looks at each once. */
function repeatedKeys(map: YAMLMap): Node[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    if (seen.has(key.value)) return [key];
    seen.add(key.value);
    return [];
  });
}

/** Keys that would reach into the prototype of an object. */
const RESERVED: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);

function isPlainTag(tag: string): boolean {
  return /^tag:yaml\.org,2002:(map|seq|str|int|float|bool|null)$/.test(tag);
}

/** The deepest nesting of brackets and of indentation steps that the text could open. Never less than the truth. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let scalar = false;
  for (const token of new Lexer().lex(text)) {
    // Deep enough to be refused: the lexer takes long over what is nested without end.
    if (deepest > MAX_DEPTH) return deepest;
    // The lexer announces each plain or block scalar: what it holds, and what stands in quotes or comments, opens nothing.
    if (scalar) scalar = false;
    else if (token === SCALAR) scalar = true;
    else if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth = Math.max(0, depth - 1);
  }
  // "- - - - x" and "? ? ? x" nest without brackets.
  const dashes = text.match(/^[ \t]*(?:[-?][ \t]+){33}/m) ? MAX_DEPTH + 1 : 0;
  return Math.max(deepest, dashes);
}

const SCALAR = "\u001F";

function locate(document: Document.Parsed, counter: LineCounter, finding: Finding): ConfigIssue {
  let node: unknown = document.contents;
  let offset = document.contents?.range[0] ?? 0;
  finding.at.forEach((key, depth) => {
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key);
      const keyNode = pair?.key as Node | undefined;
      const last = depth === finding.at.length - 1;
      node = pair?.value;
      const start = (last && finding.onKey ? keyNode : (node as Node | null)) ?? keyNode;
      offset = start?.range?.[0] ?? offset;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else node = undefined;
  });
  return place(counter, offset, finding.at, finding.message, finding.expected, finding.received);
}

function place(
  counter: LineCounter,
  offset: number,
  at: Finding["at"],
  message: string,
  expected?: string,
  received?: string,
): ConfigIssue {
  const { line, col } = counter.linePos(offset);
  const [realLine, column] = [Math.max(line, 1), Math.max(col, 1)];
  const pointer = pointerOf(at);
  return {
    path: `line ${realLine}, column ${column}`,
    line: realLine,
    column,
    pointer,
    message: pointer === "" ? message : `${pointer} ${message}`,
    ...(expected === undefined ? {} : { expected }),
    ...(received === undefined ? {} : { received }),
  };
}

const LONGEST_EXCERPT = 120;

/** Shows where an issue is. Values may be secrets: of them only the length is shown. */
function withExcerpt(text: string, issue: ConfigIssue): ConfigIssue {
  const { line, column } = issue;
  const whole = text.split("\n", line)[line - 1]?.replace(/\r$/, "").replaceAll("\t", " ") ?? "";
  if (whole.trim() === "" || column > LONGEST_EXCERPT) return issue;
  const masked = maskValues(whole);
  const shown = masked.length > LONGEST_EXCERPT ? `${masked.slice(0, LONGEST_EXCERPT)}…` : masked;
  const number = String(line);
  return { ...issue, excerpt: `${number} | ${shown}\n${" ".repeat(number.length)} | ${" ".repeat(column - 1)}^` };
}

/** A key where one may stand: at the beginning of a line or list item, and in braces. */
const KEY_AT = /^(?:[A-Za-z_][^\s:,{}[\]"'#]*|"[^"]*"|'[^']*')(?=\s*:(?:\s|$))/;

/** The line with each character of a value as a dot, so that everything keeps its column. */
function maskValues(line: string): string {
  let result = "";
  let keyMayCome = true;
  let quote = "";
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? "";
    const key = keyMayCome && quote === "" ? KEY_AT.exec(line.slice(at))?.[0] : undefined;
    if (key !== undefined) {
      result += key;
      at += key.length - 1;
      keyMayCome = false;
    } else if (quote !== "" || !/[\s{}[\],:-]/.test(char)) {
      if (quote === char) quote = "";
      else if (quote === "" && (char === '"' || char === "'")) quote = char;
      result += "·";
      keyMayCome = false;
    } else {
      result += char;
      if (char === "{" || char === ",") keyMayCome = true;
    }
  }
  return result;
}

function whole(message: string): ConfigIssue {
  return { path: "line 1, column 1", line: 1, column: 1, pointer: "", message: `the file ${message}` };
}

/** The parser's text, but for those that quote the file. */
function syntaxText(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "a file holds one document only";
  return message.split("\n")[0]?.slice(0, 200) ?? "cannot be read";
}
