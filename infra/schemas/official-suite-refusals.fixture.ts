/**
 * What of the official suite is refused on purpose, and why: the whole list. Nothing else may be refused, and all of it must be.
 */

/** Schemas that are refused with a message. */
export interface Refusal {
  /** How the message begins. */
  readonly message: string;
  readonly because: string;
  /** Groups of the suite, by file. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** The refusals. */
export const REFUSALS: readonly Refusal[] = [
  {
    message: "A reference must lead",
    because: "nothing is fetched, and `$anchor` and `$id` are not supported",
    groups: {
      "anchor.json": ["Location-independent identifier", "Location-independent identifier with absolute URI"],
      "defs.json": ["validate definition against metaschema"],
      "dynamicRef.json": ["$ref to $dynamicRef finds detached $dynamicAnchor"],
      "optional/cross-draft.json": ["refs to historic drafts are processed as historic drafts"],
      "ref.json": [
        "URN ref with nested pointer ref",
        "ref to else",
        "ref to if",
        "ref to then",
        "remote ref, containing refs itself",
      ],
      "refRemote.json": [
        "$ref to $ref finds detached $anchor",
        "Location-independent identifier in remote ref",
        "anchor within remote ref",
        "fragment within remote ref",
        "ref within remote ref",
        "remote HTTP ref with different $id",
        "remote HTTP ref with different URN $id",
        "remote HTTP ref with nested absolute ref",
        "remote ref",
      ],
    },
  },
  {
    message: "$id is not supported",
    because: "a schema stands alone: it has no name that others could refer to",
    groups: {
      "anchor.json": [
        "Location-independent identifier with base URI change in subschema",
        "same $anchor with different base uri",
      ],
      "dynamicRef.json": [
        "$dynamicRef skips over intermediate resources - direct reference",
        "$ref and $dynamicAnchor are independent of order - $defs first",
        "$ref and $dynamicAnchor are independent of order - $ref first",
        "A $dynamicRef resolves to the first $dynamicAnchor still in scope that is encountered when the schema is evaluated",
        "A $dynamicRef that initially resolves to a schema with a matching $dynamicAnchor resolves to the first $dynamicAnchor in the dynamic scope",
        "A $dynamicRef that initially resolves to a schema without a matching $dynamicAnchor behaves like a normal $ref to $anchor",
        "A $dynamicRef to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
        "A $dynamicRef to an $anchor in the same schema resource behaves like a normal $ref to an $anchor",
        "A $dynamicRef with a non-matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
        "A $dynamicRef with intermediate scopes that don't include a matching $dynamicAnchor does not affect dynamic scope resolution",
        "A $dynamicRef without a matching $dynamicAnchor in the same schema resource behaves like a normal $ref to $anchor",
        "A $dynamicRef without anchor in fragment behaves identical to $ref",
        "A $ref to a $dynamicAnchor in the same schema resource behaves like a normal $ref to an $anchor",
        "An $anchor with the same name as a $dynamicAnchor is not used for dynamic scope resolution",
        "after leaving a dynamic scope, it is not used by a $dynamicRef",
        "multiple dynamic paths to the $dynamicRef keyword",
        "strict-tree schema, guards against misspelled properties",
        "tests for implementation dynamic anchor and reference link",
      ],
      "optional/dynamicRef.json": [
        "$dynamicRef skips over intermediate resources - pointer reference across resource boundary",
      ],
      "optional/format-assertion.json": [
        "schema that uses custom metaschema with format-assertion: false",
        "schema that uses custom metaschema with format-assertion: true",
      ],
      "optional/id.json": ["$id inside an enum is not a real identifier"],
      "optional/refOfUnknownKeyword.json": ["reference internals of known non-applicator"],
      "optional/unknownKeyword.json": ["$id inside an unknown keyword is not a real identifier"],
      "ref.json": [
        "$id must be resolved against nearest parent, not just immediate parent",
        "$id with file URI still resolves pointers - *nix",
        "$id with file URI still resolves pointers - windows",
        "Recursive references between schemas",
        "URN base URI with NSS",
        "URN base URI with URN and JSON pointer ref",
        "URN base URI with URN and anchor ref",
        "URN base URI with q-component",
        "URN base URI with r-component",
        "order of evaluation: $id and $anchor and $ref",
        "order of evaluation: $id and $ref",
        "ref with absolute-path-reference",
        "refs with relative uris and defs",
        "relative refs with absolute uris and defs",
        "simple URN base URI with $ref via the URN",
        "simple URN base URI with JSON pointer",
      ],
      "refRemote.json": [
        "base URI change",
        "base URI change - change folder",
        "base URI change - change folder in subschema",
        "remote ref with ref to defs",
        "retrieved nested refs resolve relative to their URI not $id",
        "root ref in remote ref",
      ],
      "unevaluatedItems.json": ["unevaluatedItems with $dynamicRef"],
      "unevaluatedProperties.json": ["unevaluatedProperties with $dynamicRef"],
      "vocabulary.json": ["schema that uses custom metaschema with with no validation vocabulary"],
    },
  },
  {
    message: "$dynamicRef is",
    because: "what it leads to depends on who asks, which no limit of the work can be told of",
    groups: { "dynamicRef.json": ["$dynamicRef points to a boolean schema"] },
  },
  {
    message: "strict mode",
    because: "a keyword without effect where it stands is a mistake of whoever wrote it",
    groups: {
      "if-then-else.json": [
        "ignore else without if",
        "ignore if without then or else",
        "ignore then without if",
        "non-interference across combined schemas",
      ],
      "maxContains.json": ["maxContains without contains is ignored"],
      "minContains.json": ["maxContains < minContains", "minContains = 0", "minContains without contains is ignored"],
      "optional/refOfUnknownKeyword.json": [
        "reference of a root arbitrary keyword",
        "reference of an arbitrary keyword of a sub-schema",
      ],
    },
  },
  {
    message: "$anchor is",
    because: "references are JSON pointers",
    groups: { "optional/anchor.json": ["$anchor inside an enum is not a real identifier"] },
  },
  {
    message: "The pattern is",
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
    message: "No member may",
    because: "the validator does not see such a property, and would let in what does not fit",
    groups: { "properties.json": ["properties whose names are Javascript object property names"] },
  },
  {
    message: "unevaluatedItems is",
    because: "the validator tells wrongly which items were looked at, and would let in what does not fit",
    groups: {
      "unevaluatedItems.json": [
        "item is evaluated in an uncle schema to unevaluatedItems",
        "non-array instances are valid",
        "unevaluatedItems and contains interact to control item dependency relationship",
        "unevaluatedItems as schema",
        "unevaluatedItems before $ref",
        "unevaluatedItems can see annotations from if without then and else",
        "unevaluatedItems can't see inside cousins",
        "unevaluatedItems depends on adjacent contains",
        "unevaluatedItems depends on multiple nested contains",
        "unevaluatedItems false",
        "unevaluatedItems true",
        "unevaluatedItems with $ref",
        "unevaluatedItems with anyOf",
        "unevaluatedItems with boolean schemas",
        "unevaluatedItems with if/then/else",
        "unevaluatedItems with items",
        "unevaluatedItems with items and prefixItems",
        "unevaluatedItems with nested items",
        "unevaluatedItems with nested prefixItems and items",
        "unevaluatedItems with nested tuple",
        "unevaluatedItems with nested unevaluatedItems",
        "unevaluatedItems with not",
        "unevaluatedItems with null instance elements",
        "unevaluatedItems with oneOf",
        "unevaluatedItems with tuple",
        "unevaluatedItems with uniform items",
      ],
    },
  },
  {
    message: "Beside unevaluated",
    because: "the validator counts what an `if` has looked at although it failed",
    groups: {
      "unevaluatedProperties.json": [
        "unevaluatedProperties can see annotations from if without then and else",
        "unevaluatedProperties with if/then/else, then not defined",
      ],
    },
  },
  {
    message: "uniqueItems needs",
    because: "it compares every item with every other",
    groups: {
      "uniqueItems.json": [
        "uniqueItems validation",
        "uniqueItems with an array of items",
        "uniqueItems with an array of items and additionalItems=false",
      ],
    },
  },
  {
    message: "Expected https",
    because: "there is one draft, without vocabularies of anybody's own",
    groups: { "vocabulary.json": ["ignore unrecognized optional vocabulary"] },
  },
];

/** Tests whose verdict is another one: data that fits is refused. Never the other way round. */
export const REFUSED_DATA: readonly string[] = [
  // Optional in the suite: 1e308 is beyond what the division can tell.
  "optional/float-overflow.json: all integers are multiples of 0.5, if overflow is handled > valid if optional overflow handling is implemented",
];
