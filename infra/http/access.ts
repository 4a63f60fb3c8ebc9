/** What a key may be good for. `admin` is good for everything. */
export const SCOPES = ["orders", "events", "services", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who may use a route: holders of a key with the scope, holders of any key, or everybody. */
export type Access = Scope | "key" | "open";

/** The member of a route's OpenAPI operation that says who may use it. */
export const ACCESS = "x-scope";

/**
 * Who may use a mounted route, as its own operation says. One that says nothing, or something else, is for `admin`: forgetting
 * it opens nothing.
 */
export function accessOf(hooks: Readonly<Record<string, unknown>> | undefined): Access {
  const said = (hooks?.["detail"] as Record<string, unknown> | undefined)?.[ACCESS];
  return said === "open" || said === "key" ? said : (SCOPES.find((scope) => scope === said) ?? "admin");
}
