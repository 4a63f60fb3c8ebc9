/**
 * What of the official suite is refused on purpose, and why: the whole list. Nothing else may be refused, and all of it must be.
 */

/** Schemas that are refused with a message. */
export interface Refusal {
  /** How the message begins. */
  readonly message: string;
  readonly because: string;
  /** Groups of the suite, by file; some are there in one draft alone. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** The refusals. */
export const REFUSALS: readonly Refusal[] = [
  {
    message: "There is no schema in this one that the reference leads to",
    because: "nothing is fetched: a reference leads to a place within the schema",
    groups: {
      "definitions.json": ["validate definition against metaschema"],
      "defs.json": ["validate definition against metaschema"],
      "dynamicRef.json": [
        "$ref and $dynamicAnchor are independent of order - $defs first",
        "$ref and $dynamicAnchor are independent of order - $ref first",
        "$ref to $dynamicRef finds detached $dynamicAnchor",
        "strict-tree schema, guards against misspelled properties",
        "tests for implementation dynamic anchor and reference link",
      ],
      "optional/cross-draft.json": [
        "refs to future drafts are processed as future drafts",
        "refs to historic drafts are processed as historic drafts",
      ],
      "optional/refOfUnknownKeyword.json": ["reference internals of known non-applicator"],
      "ref.json": ["remote ref, containing refs itself"],
      "refRemote.json": [
        "$ref to $ref finds detached $anchor",
        "$ref to $ref finds location-independent $id",
        "Location-independent identifier in remote ref",
        "anchor within remote ref",
        "base URI change",
        "base URI change - change folder",
        "base URI change - change folder in subschema",
        "fragment within remote ref",
        "ref within remote ref",
        "remote HTTP ref with different $id",
        "remote HTTP ref with different URN $id",
        "remote HTTP ref with nested absolute ref",
        "remote ref",
        "remote ref with ref to definitions",
        "remote ref with ref to defs",
        "retrieved nested refs resolve relative to their URI not $id",
        "root ref in remote ref",
      ],
    },
  },
  {
    message: "The pattern is not one of RE2: it knows no look-around, no b",
    because: "patterns run in time that grows with the text alone (RE2)",
    groups: {
      "optional/ecmascript-regex.json": [
        "ECMA 262 regex escapes control codes with \\c and lower letter",
        "ECMA 262 regex escapes control codes with \\c and upper letter",
        "pattern with non-ASCII digits",
        "patternProperties with non-ASCII digits",
        "patterns always use unicode semantics with pattern",
        "patterns always use unicode semantics with patternProperties",
      ],
    },
  },
  {
    message: "is a format that cannot be checked here",
    because: "a format that is not known would check nothing",
    groups: {
      "optional/format/unknown.json": ["unknown format"],
    },
  },
  {
    message: "is an unknown keyword",
    because: "a keyword that is not known would check nothing",
    groups: {
      "optional/refOfUnknownKeyword.json": [
        "reference of a root arbitrary keyword",
        "reference of an arbitrary keyword of a sub-schema",
      ],
      "optional/unknownKeyword.json": ["$id inside an unknown keyword is not a real identifier"],
    },
  },
  {
    message: "is not a draft known here",
    because: "there are three drafts, without vocabularies of anybody's own",
    groups: {
      "optional/format-assertion.json": [
        "schema that uses custom metaschema with format-assertion: false",
        "schema that uses custom metaschema with format-assertion: true",
      ],
      "vocabulary.json": [
        "ignore unrecognized optional vocabulary",
        "schema that uses custom metaschema with with no validation vocabulary",
      ],
    },
  },
];

/** Groups whose data is refused although the suite lets it in, as a draft does not ask for the check: `format` is one here. */
export const STRICTER: readonly RegExp[] = [/^format\.json: .* > invalid .* is only an annotation by default$/];

/** Groups whose data is let in although the suite refuses it: what draft 7 leaves open, and later drafts rule out. */
export const LOOSER: readonly RegExp[] = [/^optional\/content\.json: /];
