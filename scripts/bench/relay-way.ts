import type { Sink } from "#runtime";

/** A way from a commit to a broker, in a database of its own: what the relay's benchmarks compare. */
export interface Way extends AsyncDisposable {
  /** Makes its tables. */
  prepare(): Promise<void>;
  /** Commits a numbered event. Something carries it meanwhile, see {@link carry}. */
  write(n: number): Promise<unknown>;
  /** Puts so many events where they wait to be carried, one to a commit. Nothing carries meanwhile. */
  fill(count: number): Promise<void>;
  /** As if so many events had been carried before and were kept, and as many more had been removed since. */
  age(count: number, sink: string): Promise<void>;
  /** Begins to carry events to the sink, until it is disposed of. */
  carry(sink: Sink): Promise<AsyncDisposable>;
}

/** Actors that emit, all alike. */
export const ACTORS = 1_000;

/** The key of the actor that emits the `n`th event. */
export const keyOf = (n: number): string => `k${n % ACTORS}`;
