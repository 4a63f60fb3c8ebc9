/** What a run is asked for. */
export interface BenchOptions {
  /** The large cases too, that take minutes and gigabytes. */
  readonly full: boolean;
}
