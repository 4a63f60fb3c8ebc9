import { type GenericSchema, safeParse } from "valibot";
import { pointerOf } from "../base/json-pointer.ts";
import { MAX_ID_LENGTH, MAX_KEY_LENGTH } from "../base/limits.ts";
import { CheckedInput } from "./checked-input.ts";
import { InvalidInputError, type InputIssue } from "./errors.ts";
import { listsForMaps } from "./lists-for-maps.ts";

/**
 * The value a schema makes of an input.
 * @throws {InvalidInputError} naming every place that does not fit, as JSON pointers.
 */
export function parseInput(
  schema: GenericSchema | undefined,
  input: unknown,
  message: string,
  address: string,
): unknown {
  if (schema === undefined) return undefined;
  if (input instanceof CheckedInput)
    return input.schema === schema ? input.value : parseInput(schema, input.value, message, address);
  const result = safeParse(schema, input);
  const places = listsForMaps(schema, input);
  if (result.success && places.length === 0) return result.output;
  throw new InvalidInputError(`${message} for ${address}`, issuesOf(result.issues ?? [], places.map(listIssue)));
}

/** What is wrong with an input. What is said of the members of a list that stands for a map is beside the point. */
function issuesOf(issues: readonly Parameters<typeof toIssue>[0][], lists: readonly InputIssue[]): InputIssue[] {
  const others = issues
    .map(toIssue)
    .filter(({ path }) => !lists.some((list) => path === list.path || path.startsWith(`${list.path}/`)));
  return [...others, ...lists];
}

/** What is wrong with a list where a map is meant. */
function listIssue(keys: readonly string[]): InputIssue {
  return { path: pointerOf(keys), message: "Is a list where a map is meant", expected: "Object", received: "Array" };
}

/** One valibot issue as the runtime and the ingress show it. */
export function toIssue(issue: {
  readonly message: string;
  readonly expected: string | null;
  readonly received: string;
  readonly path?: readonly { readonly key?: unknown }[] | undefined;
}): InputIssue {
  const path = pointerOf((issue.path ?? []).map(({ key }) => String(key)));
  return { path, message: issue.message, expected: issue.expected ?? "", received: issue.received };
}

// Control characters would break subjects, headers and logs; Postgres cannot store NUL in text at all.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/** Whether a text may name something that is stored: 1 to 200 characters, none of them a control character. */
export function isName(text: unknown): text is string {
  return (
    typeof text === "string" &&
    text.length > 0 &&
    text.length <= MAX_KEY_LENGTH &&
    !CONTROL.test(text) &&
    text.isWellFormed()
  );
}

/** @throws {InvalidInputError} when a key is empty, over 200 characters, holds control characters, or does not fit its schema. */
export function checkKey(schema: GenericSchema<string, string> | undefined, type: string, key: string): void {
  if (!isName(key)) {
    throw new InvalidInputError(`a call to ${type}`, [
      {
        path: "/key",
        message: "Invalid key",
        expected: `1 to ${MAX_KEY_LENGTH} printable characters`,
        received: describe(key),
      },
    ]);
  }
  if (schema !== undefined) {
    const result = safeParse(schema, key);
    if (!result.success) {
      throw new InvalidInputError(
        `a call to ${type}`,
        result.issues.map((issue) => ({ ...toIssue(issue), path: "/key" })),
      );
    }
  }
}

/** Whether a text may be a message id: 1 to 255 characters, none of them a control character. */
export function isMessageId(id: string): boolean {
  return id.length > 0 && id.length <= MAX_ID_LENGTH && !CONTROL.test(id) && id.isWellFormed();
}

/** @throws {InvalidInputError} when a message id is empty, over 255 characters or holds control characters. */
export function checkMessageId(id: string): void {
  if (!isMessageId(id)) {
    throw new InvalidInputError("a call", [
      {
        path: "/id",
        message: "Invalid message id",
        expected: `1 to ${MAX_ID_LENGTH} printable characters`,
        received: describe(id),
      },
    ]);
  }
}

function describe(value: unknown): string {
  return typeof value === "string" ? `${value.length} characters` : typeof value;
}
