import { isExactNumber, parseExact } from "../json/exact.ts";
import { Problem } from "./problem.ts";

/** Levels of nesting, at most: what no honest body needs, and no recursive code behind this has to fear. */
export const MAX_JSON_DEPTH = 64;

/**
 * Parses JSON strictly (RFC 8259 and, where it leaves a choice, RFC 7493): one meaning for every reader behind us.
 *
 * @throws {Problem} 400 `json.malformed`; `json.too_deep` over {@link MAX_JSON_DEPTH}; `json.duplicate_key`;
 * `json.number_out_of_range` (`1e999`); `json.unsafe_text` for NUL and lone surrogates, which no database text can hold.
 */
export function parseJson(text: string): unknown {
  return parseWith(JSON.parse, text);
}

/**
 * Parses JSON as strictly as {@link parseJson}, and keeps each number as its text says: see {@link parseExact}. None is out
 * of range.
 */
export function parseExactJson(text: string): unknown {
  return parseWith(parseExact, text);
}

function parseWith(parse: (text: string) => unknown, text: string): unknown {
  const members = scan(text);
  let value: unknown;
  try {
    value = parse(text);
  } catch {
    throw malformed("The body is not JSON");
  }
  // The parser took no control character: in a well-formed text only an escape brings what a text must not hold.
  const plain = !text.includes("\\u") && text.isWellFormed();
  if ((plain ? walk(value) : walkWithTexts(value)) !== members)
    throw new Problem(400, "json.duplicate_key", "The body names the same member twice in one object");
  return value;
}

/** Checks the depth before anything recursive sees the text, and counts the members: each has one colon outside strings. */
function scan(text: string): number {
  let depth = 0;
  let members = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // a string: on to its end
        for (i++; i < text.length; i++) {
          const code = text.charCodeAt(i);
          if (code === 0x5c) i++;
          else if (code === 0x22) break;
        }
        break;
      case 0x3a:
        members++;
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > MAX_JSON_DEPTH)
          throw new Problem(400, "json.too_deep", `The body is nested deeper than ${MAX_JSON_DEPTH} levels`);
        break;
      case 0x5d:
      case 0x7d:
        depth--;
        break;
      case 0xfeff:
        throw malformed("The body begins with, or holds, a byte order mark");
    }
  }
  return members;
}

/** Checks every number, and counts the members that are left of an object when names repeat. */
function walk(value: unknown): number {
  if (typeof value === "number") return checkNumber(value);
  if (typeof value !== "object" || value === null || isExactNumber(value)) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) members += walk(value[i]);
    return members;
  }
  const record = value as Readonly<Record<string, unknown>>;
  for (const name in record) members += 1 + walk(record[name]);
  return members;
}

/** As {@link walk}, and checks every text. */
function walkWithTexts(value: unknown): number {
  if (typeof value === "string") return checkText(value);
  if (typeof value === "number") return checkNumber(value);
  if (typeof value !== "object" || value === null || isExactNumber(value)) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const item of value) members += walkWithTexts(item);
    return members;
  }
  for (const [name, item] of Object.entries(value)) {
    checkText(name);
    members += 1 + walkWithTexts(item);
  }
  return members;
}

function checkNumber(value: number): 0 {
  if (Number.isFinite(value)) return 0;
  throw new Problem(400, "json.number_out_of_range", "The body holds a number that is too large to be read");
}

function checkText(text: string): 0 {
  if (text.includes("\0") || !text.isWellFormed()) {
    throw new Problem(
      400,
      "json.unsafe_text",
      "The body holds a text with a NUL character or half of a surrogate pair",
    );
  }
  return 0;
}

function malformed(detail: string): Problem {
  return new Problem(400, "json.malformed", detail);
}
