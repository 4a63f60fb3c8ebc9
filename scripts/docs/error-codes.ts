import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { refusalTables } from "#actors/ingress/refusals.ts";
import { DOOR_STATUSES } from "#infra/door/failure.ts";
import { type Refusals, refusalAnswer } from "#infra/http/refusals.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { TROUPE_ERROR_CODES, TroupeError } from "#runtime";

/** The page that {@link errorCodesPage} writes. */
export const ERROR_CODES_PAGE = "infra/docs/error-codes.md";

/** Where answers to requests are made. */
const SOURCES = ["infra", "actors", "scripts/app"].map((folder) => new Glob(`${folder}/**/*.ts`));

/** Problems whose code is a parameter: what is passed as it, by file. Each must stand there as a text. */
const PASSED: Readonly<Record<string, { readonly status: number; readonly codes: readonly string[] }>> = {
  "actors/access/guard/guard.ts": { status: 401, codes: ["key.missing", "key.invalid"] },
};
/** Files whose problems with computed codes are told elsewhere on the page: refusals, the door, the library's errors. */
const TOLD_ELSEWHERE: readonly string[] = [
  "infra/http/to-problem.ts",
  "infra/door/failure.ts",
  "infra/door/request-options.ts",
];

interface ProblemCode {
  readonly status: number;
  readonly code: string;
  readonly text: string;
  readonly file: string;
}

/**
 * The page of all error codes, made of the code: the docstrings of the closed lists, what each of their members becomes over
 * HTTP, the tables of refusals, and every problem that a route makes.
 * @throws {Error} a problem whose code cannot be told: it would be missing.
 */
export function errorCodesPage(root: string): string {
  const problems = problemsOf(root);
  return `${[
    "# Error codes",
    "",
    "Every code that a call, a route or a port fails with. Codes are stable: programs may rely on them; texts may change. This page is made from the code by",
    "`bun scripts/docs/main.ts --write`, and a test compares the two.",
    "",
    "## Calls",
    "",
    "What a call of the library rejects with: a `TroupeError` with one of these codes. Over HTTP it becomes the status beside it; a 503 and a 429 carry",
    "`Retry-After`, and may be sent again with the same `Idempotency-Key`.",
    "",
    ...withStatuses(listOf(root, "runtime/message/errors.ts")),
    "",
    "## Refusals",
    "",
    "An actor's own no. Over HTTP the code is the actor type and the reason; a reason that is not listed is a 409.",
    "",
    "| status | code | text |",
    "|---|---|---|",
    ...Object.entries(refusalTables()).flatMap(([noun, refusals]) => refusalRows(noun, refusals)),
    "",
    "## Problems",
    "",
    "What the routes answer beside these, as `application/problem+json`. Where several texts belong to a code, the first is shown.",
    "",
    "| status | code | text | made in |",
    "|---|---|---|---|",
    ...problems.map(({ status, code, text, file }) => `| ${status} | \`${code}\` | ${text} | \`${file}\` |`),
    "",
    "## Doors",
    "",
    "`troupe/http` answers with these codes, beside those of bodies (`body.*`, `json.*`, `media_type.*`) and refusals (`<type>.<reason>`, 409).",
    "",
    "| status | codes |",
    "|---|---|",
    ...byStatus(DOOR_STATUSES).map(
      ([status, codes]) => `| ${status} | ${codes.map((code) => `\`${code}\``).join(" ")} |`,
    ),
    "",
    "## Workflows",
    "",
    "What the workflow client fails with (`WorkflowClientError`).",
    "",
    ...listOf(root, "infra/temporal/client-error.ts"),
    "",
    "## Container engines",
    "",
    "What a call to an engine fails with (`EngineError`).",
    "",
    ...listOf(root, "infra/engines/errors.ts"),
  ].join("\n")}\n`;
}

/** The table in the docstring of a closed list of codes. */
function listOf(root: string, file: string): string[] {
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  const first = lines.findIndex((line) => line.startsWith(" * | code |"));
  const table = lines.slice(first).map((line) => line.replace(/^ \* ?/u, ""));
  const length = table.findIndex((line) => !line.startsWith("|"));
  if (first < 0 || length < 3) throw new Error(`Cannot find the table of codes in ${file}`);
  return table.slice(0, length);
}

/** The library's codes with the status that each becomes. @throws {Error} the table misses a code. */
function withStatuses([head = "", rule = "", ...rows]: readonly string[]): string[] {
  const told = rows.map((row) => /^\| `(\w+)`/u.exec(row)?.[1]);
  const missing = TROUPE_ERROR_CODES.filter((code) => !told.includes(code));
  if (missing.length > 0) throw new Error(`Cannot describe ${missing.join(", ")}: the docstring has no row`);
  return [
    `| status ${head}`,
    `|---${rule}`,
    ...rows.map((row, index) => `| ${statusOf(told[index] as (typeof TROUPE_ERROR_CODES)[number])} ${row}`),
  ];
}

function statusOf(code: (typeof TROUPE_ERROR_CODES)[number]): number {
  if (code === "refused") return refusalAnswer("any").status;
  if (code === "invalid_input") return 422;
  return toProblem(new TroupeError(code, "")).status;
}

function refusalRows(noun: string, refusals: Refusals): string[] {
  return Object.entries(refusals).map(
    ([reason, { status, detail }]) => `| ${status} | \`${noun}.${reason}\` | ${detail} |`,
  );
}

function byStatus(codes: Readonly<Record<string, number>>): [number, string[]][] {
  const statuses = new Map<number, string[]>();
  for (const [code, status] of Object.entries(codes)) statuses.set(status, [...(statuses.get(status) ?? []), code]);
  return [...statuses].toSorted(([a], [b]) => a - b);
}

/** Every `new Problem(status, "code", "text")` of the routes, once per status and code, by code. */
function problemsOf(root: string): ProblemCode[] {
  const files = SOURCES.flatMap((glob) => [...glob.scanSync(root)].sort()).filter(
    (file) => !/\.test\.ts$|\.fixture\.ts$|\/testing\//u.test(file),
  );
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const { status = 0, codes = [] } = PASSED[file] ?? {};
    const passed = codes.map((code) => {
      const [, said] = new RegExp(`"${code.replaceAll(".", "\\.")}",\\s*"([^"]+)"`, "u").exec(text) ?? [];
      if (said === undefined) throw new Error(`Cannot find the code ${code} in ${file}`);
      return { status, code, text: said, file };
    });
    const calls = [...text.matchAll(/new Problem\(/gu)].map(({ index }) => text.slice(index, index + MOST));
    return [...passed, ...calls.flatMap((call) => literalProblem(call, file))];
  });
  const once = new Map(found.toReversed().map((problem) => [`${problem.code} ${problem.status}`, problem]));
  return [...once.values()].toSorted((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : a.status - b.status));
}

/** Characters in which the status, code and text of a problem stand. */
const MOST = 800;
/** A text in quotes of any kind; `\x60` is the backtick. */
const TEXT = /"[^"]*"|'[^']*'|\x60(?:\$\{[^}]*\}|[^\x60])*\x60/u.source;
const LITERAL = new RegExp(`^new Problem\\(\\s*(\\d{3}),\\s*(${TEXT}),\\s*(${TEXT})?`, "u");

function literalProblem(call: string, file: string): ProblemCode[] {
  if (file === "infra/door/failure.ts") return [];
  const [, status, code, text] = LITERAL.exec(call) ?? [];
  if (status !== undefined && code !== undefined)
    return [{ status: Number(status), code: codeOf(code), text: textOf(text), file }];
  if (PASSED[file] !== undefined || TOLD_ELSEWHERE.includes(file)) return [];
  throw new Error(`Cannot tell the code of a problem in ${file}: ${call.slice(0, 80)}`);
}

/** A code with its parts that vary as `<noun>`. */
function codeOf(literal: string): string {
  return literal.slice(1, -1).replaceAll(/\$\{(?:\w+\.)*(\w+)\}/gu, "<$1>");
}

/** A text with its parts that vary as `…`. */
function textOf(literal: string | undefined): string {
  return literal === undefined
    ? "…"
    : literal
        .slice(1, -1)
        .replaceAll(/\$\{[^}]*\}/gu, "…")
        .replaceAll("|", "\\|");
}
