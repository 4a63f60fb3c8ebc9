import type { Scope } from "./scope.ts";

/** One check. `command` is run from the root; a step fails when it exits with anything but 0. */
export interface Step {
  readonly name: string;
  readonly command: readonly string[];
}

const FORMATTED = /\.(?:[cm]?[jt]sx?|jsonc?|css)$/u;
const LINTED = /\.[cm]?[jt]sx?$/u;
/** Where actor types, and with them their contracts, are made of. */
const CONTRACTED = /^(?:actors\/|runtime\/actor\/|infra\/contracts\/)/u;
const LENIENT = "--no-error-on-unmatched-pattern";

/**
 * The checks in the order in which they are started, the quickest to say no first. A scope of few files is asked for
 * what they can be blamed for: types are still those of the whole tree, but dead code is left to the whole run, as a
 * small commit may well bring what only the next one uses.
 */
export function checks(scope: Scope): Step[] {
  return [
    ...overFiles("format", tool("oxfmt", "--check", LENIENT), ["."], FORMATTED, scope),
    ...overFiles("lint", tool("oxlint", LENIENT), scope.areas, LINTED, scope),
    { name: "types", command: tool("tsc", "--noEmit") },
    ...overFiles("boundaries", [process.execPath, "scripts/boundaries/main.ts"], ["."], LINTED, scope),
    ...(concernsDoors(scope) ? [{ name: "docs", command: [process.execPath, "scripts/docs/main.ts"] }] : []),
    ...(concernsDoors(scope) ? [{ name: "api", command: [process.execPath, "scripts/api.ts"] }] : []),
    ...((scope.files?.some((path) => CONTRACTED.test(path)) ?? true)
      ? [{ name: "contracts", command: [process.execPath, "scripts/contracts.ts"] }]
      : []),
    ...(scope.files ? [] : [{ name: "dead code", command: tool("knip", "--no-progress", "--no-config-hints") }]),
    ...(scope.tests.length > 0 ? [{ name: "unit tests", command: unitTests(scope.tests) }] : []),
  ];
}

/** What puts right by itself what can be, to be run one after the other: a fix of the linter is formatted too. */
export function fixes(scope: Scope): Step[] {
  return [
    ...overFiles("fix lint", tool("oxlint", "--fix", LENIENT), scope.areas, LINTED, scope),
    ...overFiles("fix format", tool("oxfmt", LENIENT), ["."], FORMATTED, scope),
    ...(scope.files ? [] : [{ name: "write pages", command: [process.execPath, "scripts/docs/main.ts", "--write"] }]),
  ];
}

/** The step over the files of the scope that concern it, or over `everything`; no step where none concerns it. */
function overFiles(
  name: string,
  command: readonly string[],
  everything: readonly string[],
  concerns: RegExp,
  { files }: Scope,
): Step[] {
  const over = files?.filter((path) => concerns.test(path)) ?? everything;
  return over.length > 0 ? [{ name, command: [...command, ...over] }] : [];
}

/** Whether what is behind a public door may have changed. */
function concernsDoors({ files }: Scope): boolean {
  return files?.some((path) => /^(?:runtime|infra)\/.*\.ts$/u.test(path)) ?? true;
}

function unitTests(paths: readonly string[]): string[] {
  return [process.execPath, "test", "--only-failures", "--timeout=60000", ...paths.map((path) => `./${path}`)];
}

const ENTRIES = {
  oxfmt: "oxfmt/bin/oxfmt",
  oxlint: "oxlint/bin/oxlint",
  tsc: "typescript/bin/tsc",
  knip: "knip/bin/knip-bun.js",
} as const;

/** Runs a tool under Bun itself, so that a machine without Node can verify too. */
function tool(name: keyof typeof ENTRIES, ...args: readonly string[]): string[] {
  return [process.execPath, "--bun", `node_modules/${ENTRIES[name]}`, ...args];
}
