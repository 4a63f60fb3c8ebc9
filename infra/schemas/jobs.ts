import type { Misfit, SchemaFault } from "./misfit.ts";

/** What the worker is asked: to compile a schema and, with `data`, to check it. Both are JSON. */
export interface Job {
  readonly id: number;
  readonly schema: string;
  readonly data: string | undefined;
}

export type Answer =
  | { readonly id: number; readonly kind: "done"; readonly misfits: readonly Misfit[] }
  | { readonly id: number; readonly kind: "refused"; readonly faults: readonly SchemaFault[] }
  | { readonly id: number; readonly kind: "failed"; readonly message: string };
