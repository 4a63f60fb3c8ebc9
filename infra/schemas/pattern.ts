import { RE2JS } from "re2js";
import { patternWeight } from "./pattern-weight.ts";
import { re2Pattern } from "./re2-pattern.ts";
import type { Run } from "./run.ts";

/** A pattern whose time grows with the text alone. */
export interface Pattern {
  /** Whether it matches somewhere in the text. @throws {TooMuchWorkError} */
  test(text: string, run: Run): boolean;
}

/** What is said of a pattern that cannot be taken. */
export const NOT_RE2 = "The pattern is not one of RE2: it knows no look-around, no back-references and no flags";

/**
 * The engine of the host gives up on some patterns after a while and says that they do not match, which under a `not` lets
 * everything in: patterns run in RE2.
 * @returns `undefined`: RE2 has no such pattern.
 */
export function compilePattern(source: string): Pattern | undefined {
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(re2Pattern(source));
  } catch {
    return undefined;
  }
  const weight = patternWeight(source);
  return {
    test: (text, run) => {
      run.spend(text.length * weight);
      return compiled.matcher(text).find();
    },
  };
}
