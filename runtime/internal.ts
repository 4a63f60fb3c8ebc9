/** The door for adapters and tests: what the runtime is made of, without the promise to stay as it is. */
export { textHash } from "./hash.ts";
export { toIssue } from "./validate.ts";
