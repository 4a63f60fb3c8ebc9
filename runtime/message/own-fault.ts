import { InvalidInputError, type InputIssue } from "./errors.ts";

/** Something that a handler made does not fit its schema: that is nothing its caller could put right. */
export function ownFault(what: string, issues: readonly InputIssue[]): TypeError {
  return new TypeError(`${what} as it does not fit: ${issues.map((i) => `${i.path || "/"} ${i.message}`).join("; ")}`);
}

/** Runs a check of what a handler made. @throws {TypeError} where it does not fit. */
export function own(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof InvalidInputError) throw ownFault(`Cannot send ${error.what}`, error.issues);
    throw error;
  }
}
