/** What the command line says to every benchmark. */
export interface BenchOptions {
  /** Also the cases that take minutes to prepare. */
  readonly full: boolean;
}
