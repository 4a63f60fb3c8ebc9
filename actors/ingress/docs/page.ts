import type { Rendered } from "./render.ts";

/** A page of the site. */
export interface Page extends Rendered {
  /** Below `/docs`, as in `runbooks/disk`; empty for the first page. */
  readonly path: string;
}
