/** What can be done to the system on purpose, to see it bear that. For development. */

/** `still`: a server stands still, as if its machine had frozen. `slow`: each publish to a sink waits. `kill`: a container ends at once. */
export const FAULT_KINDS = ["still", "slow", "kill"] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What a fault may be done to. */
export interface FaultTarget {
  readonly kind: FaultKind;
  /** A server, a sink, or a container's id. */
  readonly target: string;
  /** What people call it. */
  readonly label: string;
}

/** A fault that lasts. */
export interface Fault extends FaultTarget {
  readonly id: string;
  /** RFC 3339. */
  readonly since: string;
  readonly until: string;
  /** Of `slow`: what each publish waits for. */
  readonly delayMs: number | null;
}

/** What is wanted. */
export interface FaultRequest {
  readonly kind: FaultKind;
  readonly target: string;
  readonly forMs: number;
  readonly delayMs: number;
}

/** Does faults, and ends them. */
export interface Chaos {
  targets(): Promise<readonly FaultTarget[]>;
  /** Those that last. */
  faults(): readonly Fault[];
  /** Begins a fault; it ends by itself. `undefined`: there is no such target. A `kill` is over at once. */
  begin(request: FaultRequest): Promise<Fault | undefined>;
  /** Ends a fault early. Returns whether it lasted. */
  end(id: string): boolean;
}
