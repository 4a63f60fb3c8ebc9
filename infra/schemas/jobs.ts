import type { Misfit } from "./compile.ts";

/** What the worker is asked: to compile a schema and, with `data` (JSON), to check it. */
export interface Job {
  readonly id: number;
  readonly schema: object | boolean;
  readonly data: string | undefined;
}

export type Answer =
  | { readonly id: number; readonly kind: "done"; readonly misfit: Misfit | undefined }
  | { readonly id: number; readonly kind: "failed"; readonly message: string };
