/**
 * A pattern of a JSON Schema, which is one of ECMAScript, as RE2 writes it.
 *
 * The two look alike and mean different things here and there (`.`, `\s`, `[[:alpha:]]`, `\A`): a pattern that was taken as
 * it stands would let data in that it should refuse. What has no like is refused.
 */

/** ECMAScript's white space and line ends; RE2's `\s` is ASCII alone. */
const SPACE = String.raw`\t\n\v\f\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`;
/** What a dot does not stand for. */
const LINE_ENDS = String.raw`\n\r\x{2028}\x{2029}`;
const SAME = /^[dDwWnrtfv]/;

/**
 * @throws {SyntaxError} it says what RE2 cannot, or nothing that ECMAScript knows.
 */
export function re2Pattern(pattern: string): string {
  let out = "";
  let inClass = false;
  for (let rest = pattern; rest !== "";) {
    const [read, written] = inClass ? classToken(rest) : token(rest);
    if (read === "[" && !inClass) {
      const open = /^\[\^?/.exec(rest)?.[0] ?? "[";
      if (rest[open.length] === "]") throw new SyntaxError("An empty class has no like");
      inClass = true;
      out += open;
      rest = rest.slice(open.length);
      continue;
    }
    if (read === "]" && inClass) inClass = false;
    out += written;
    rest = rest.slice(read.length);
  }
  if (inClass) throw new SyntaxError("A class is not closed");
  return out;
}

/** What stands at the beginning, and what is written for it. */
function token(rest: string): readonly [read: string, written: string] {
  if (rest.startsWith("\\")) return escape(rest, false);
  if (rest.startsWith(".")) return [".", `[^${LINE_ENDS}]`];
  if (rest.startsWith("(?")) {
    const group = /^\(\?(?::|<([A-Za-z_]\w*)>)/.exec(rest);
    if (group === null) throw new SyntaxError("Only plain and named groups have a like");
    return [group[0], group[1] === undefined ? "(?:" : `(?P<${group[1]}>`];
  }
  return plain(rest);
}

function classToken(rest: string): readonly [read: string, written: string] {
  if (rest.startsWith("\\")) return escape(rest, true);
  if (rest.startsWith("[")) return ["[", "\\["]; // no class of RE2's such as [:alpha:]
  return plain(rest);
}

function plain(rest: string): readonly [read: string, written: string] {
  const character = String.fromCodePoint(rest.codePointAt(0) as number);
  return [character, character];
}

function escape(rest: string, inClass: boolean): readonly [read: string, written: string] {
  const after = rest.slice(1);
  const same = SAME.exec(after)?.[0];
  if (same !== undefined) return [`\\${same}`, `\\${same}`];
  if (after.startsWith("s")) return ["\\s", inClass ? SPACE : `[${SPACE}]`];
  if (after.startsWith("S") && !inClass) return ["\\S", `[^${SPACE}]`];
  if (after.startsWith("b")) return ["\\b", inClass ? "\\x08" : "\\b"];
  if (after.startsWith("B") && !inClass) return ["\\B", "\\B"];
  const property = /^[pP]\{[A-Za-z_=]{1,60}\}/.exec(after)?.[0];
  if (property !== undefined) return [`\\${property}`, `\\${property}`];
  const code = codeOf(after);
  if (code !== undefined) return [`\\${code.read}`, `\\x{${code.point.toString(16)}}`];
  if (/^[^A-Za-z0-9\s]/.test(after) && (after.codePointAt(0) as number) < 128)
    return [rest.slice(0, 2), rest.slice(0, 2)];
  throw new SyntaxError(`The escape \\${after[0] ?? ""} has no like`);
}

/** A character by its number: `x41`, `u0041`, `u{41}`, a pair of surrogates, `0`. */
function codeOf(after: string): { readonly read: string; readonly point: number } | undefined {
  const pair = /^u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(after);
  if (pair !== null) {
    const text = String.fromCharCode(Number.parseInt(pair[1] as string, 16), Number.parseInt(pair[2] as string, 16));
    return { read: pair[0], point: text.codePointAt(0) as number };
  }
  const one = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|(0)(?![0-9]))/.exec(after);
  if (one === null) return undefined;
  return { read: one[0], point: Number.parseInt(one[1] ?? one[2] ?? one[3] ?? one[4] ?? "", 16) };
}
