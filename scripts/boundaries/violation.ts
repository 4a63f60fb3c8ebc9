/** One import that the rules do not allow. `fix` says what to do about it. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly rule: string;
  readonly message: string;
  readonly fix: string;
}
