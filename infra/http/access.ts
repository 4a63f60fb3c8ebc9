/** What a key may be good for. `admin` is good for everything. */
export const SCOPES = ["orders", "events", "services", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who may use a route: holders of a key with the scope, holders of any key, or everybody. */
export type Access = Scope | "key" | "open";

/** The member of a route's OpenAPI operation that says who may use it. */
export const ACCESS = "x-scope";
