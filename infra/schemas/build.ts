import type { Subschema } from "./document.ts";
import type { References } from "./references.ts";
import type { Check } from "./run.ts";

/** What a keyword is compiled with. */
export interface Site {
  readonly at: Subschema;
  readonly node: Readonly<Record<string, unknown>>;
  /** The check of the subschema at a place of the document. */
  readonly checkAt: (pointer: string) => Check;
  readonly references: References;
}

/** Compiles one keyword. `undefined`: it checks nothing. @throws {SchemaError} it cannot be. */
export type Build = (value: never, site: Site) => Check | undefined;

/** A keyword that cannot be compiled. `step`: the place below the subschema. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  readonly step: string;
  readonly expected: string;
  readonly received: string;

  constructor(step: string, message: string, expected: string, received: string) {
    super(message);
    this.step = step;
    this.expected = expected;
    this.received = received;
  }
}
