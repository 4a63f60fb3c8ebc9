import type { Troupe } from "#runtime";

/** What the routes of keys and tickets speak to. */
export interface AccessDeps {
  /** The actor system. @throws {Problem} 503 while it is not there yet. */
  readonly troupe: () => Troupe;
}
