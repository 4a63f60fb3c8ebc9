import type { Access, Scope } from "./access.ts";

/** Who a request comes from, as far as its key says. */
export interface Principal {
  readonly keyId: string;
  /** The beginning of the secret that was shown: a rotated one ends before its key. */
  readonly prefix?: string | undefined;
  readonly scopes: readonly Scope[];
}

const principals = new WeakMap<Request, Principal>();

/** Remembers who a request comes from. */
export function identify(request: Request, principal: Principal): void {
  principals.set(request, principal);
}

/** Who a request comes from; `undefined` where nobody has to say. */
export function principalOf(request: Request): Principal | undefined {
  return principals.get(request);
}

/** Whether the scopes of a key are enough. */
export function mayUse({ scopes }: Principal, access: Access): boolean {
  return access === "open" || access === "key" || scopes.includes("admin") || scopes.includes(access);
}
