import { expect, test } from "bun:test";
import { RE2JS } from "re2js";
import { re2Pattern } from "./re2-pattern.ts";

const matches = (pattern: string, text: string): boolean => RE2JS.compile(re2Pattern(pattern)).matcher(text).find();

/** Every character that some part of a pattern might treat in its own way, and texts around them. */
const TEXTS = [
  ...Array.from(
    "\t\n\v\f\r \u0000\u0008\u001c\u0085\u00a0\u1680\u180e\u2000\u200a\u200b\u2028\u2029\u202f\u205f\u3000\ufeff",
  ),
  ...Array.from('aAzZ09_-[]:^$.*+?(){}|\\/"äßÄ€😀'),
  ...["", "ab", "a\n", "\na", "a\rb", "foo bar", "[:alpha:]", "A-1", "😀😀", "aa", "a{,3}", "x1y"],
];
const PATTERNS = [
  ...["^a", "a$", "^a$", "^.$", "^..$", "a.b", "^\\s$", "^\\S$", "^[\\s]$", "^[^\\s]$", "^[a\\s-]$", "^\\w$", "^\\W$"],
  ...[
    "^[\\w]$",
    "^[^\\W]$",
    "^\\d$",
    "^\\D$",
    "^[\\D]$",
    "\\bo",
    "\\Bo",
    "^[[:alpha:]]$",
    "^[[a]$",
    "^[\\[\\]]$",
    "^[a^]$",
  ],
  ...[
    "^\\u0061$",
    "^\\u{1F600}$",
    "^\\uD83D\\uDE00$",
    "^\\x41$",
    "^\\0$",
    "^[\\b]$",
    "^[\\u2000-\\u200a]$",
    "^[^a]$",
    "^[^a]{2}$",
  ],
  ...[
    "(?:a|b)b",
    "(?<x>a)b",
    "^a{2}$",
    "^\\.$",
    "^\\/$",
    "^[.]$",
    "^[.*+?]$",
    "^(a|A)-?1?$",
    "\\p{L}",
    "^\\P{L}$",
    "^[\\p{Lu}]$",
  ],
];

test("a pattern matches what it matches in ECMAScript", () => {
  for (const pattern of PATTERNS) {
    // A bracket alone is one without that flag, and an error with it.
    const reference = new RegExp(pattern, pattern.includes(":]]") ? "" : "u");
    for (const text of TEXTS)
      expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, reference.test(text)]);
  }
});

test("what only one of the two knows is refused", () => {
  const unknown = [
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?<!a)",
    "(a)\\1",
    "\\k<x>",
    "\\cA",
    "(?i)a",
    "(?P<x>a)",
    "(?s:.)",
    "\\Aa",
    "a\\z",
  ];
  for (const pattern of [...unknown, "\\Qa\\E", "[\\S]", "[]", "[^]", "[a", "\\", "\\a", "\\pL", "\\C"])
    expect(() => RE2JS.compile(re2Pattern(pattern))).toThrow();
});
