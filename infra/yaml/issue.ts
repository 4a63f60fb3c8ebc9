/** One place of a configuration file that does not fit. Fits the `errors` of a problem answer. */
export interface ConfigIssue {
  /** As in `line 3, column 5`. */
  readonly path: string;
  readonly line: number;
  readonly column: number;
  /** JSON pointer, as in `/services/web/image`; empty for the whole file. */
  readonly pointer: string;
  /** Begins with the pointer. */
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
  /** The line, and below it a caret at the column. Values are dots: they may be secrets. */
  readonly excerpt?: string;
}

/** What is wrong at a place, before the place is known. */
export interface Finding {
  /** Keys from the root. */
  readonly at: readonly (string | number)[];
  /** Whether the key itself is meant, not its value. */
  readonly onKey?: boolean;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
}
