import type { Scope } from "#actors/access/keyring/messages.ts";

/** Who may use a route: holders of a key with the scope, holders of any key, or everybody. */
export type Access = Scope | "key" | "open";

/** The member of a route's OpenAPI operation that says who may use it. */
export const ACCESS = "x-scope";
