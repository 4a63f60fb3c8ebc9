import type { Access } from "#infra/http/access.ts";
import { identify, mayUse, type Principal, principalOf } from "#infra/http/principal.ts";
/**
 * What stands between the network and the routes.
 *
 * Owns: who may come in, how often, and which pages may read the answer. Does not own: keys (`KeyDirectory`), routes, and
 * what a request says.
 *
 * G1 Nothing of a request but its method, path and headers is looked at before its key was found good: a stranger learns
 *    nothing of a route from its answers, not even that it is there.
 * G2 What a route needs is what the route itself says; one that says nothing needs `admin`, and so does a path without one.
 * G3 Where authentication is off, everybody may do everything.
 */
import { Problem } from "#infra/http/problem.ts";
import { clientAddress, networkOf, type TrustedProxies } from "./client-address.ts";
import { type Limiter, type RateLimit, RateLimiter, type Taken } from "./rate-limiter.ts";

export interface GuardOptions {
  /** Whose key it is; `undefined` for none. Absent: authentication is off. */
  readonly authenticate?: ((secret: string) => Promise<Principal | undefined>) | undefined;
  /** The limit in force, asked for at every request; `undefined`: none. It is each key's, and each address's. */
  readonly rateLimit?: () => RateLimit | undefined;
  /** Who counts. Default: this process, in memory. */
  readonly limiter?: Limiter | undefined;
  /** The other end of the request's connection. */
  readonly peer?: (request: Request) => string | undefined;
  readonly trustedProxies?: TrustedProxies;
  /** Milliseconds that never go back. @default performance.now */
  readonly monotonic?: () => number;
}

const BEARER = /^Bearer +([\x21-\x7e]{1,200}) *$/i;

export class Guard {
  readonly #options: GuardOptions;
  readonly #limiter: Limiter;
  readonly #taken = new WeakMap<Request, Taken>();
  /** Requests whose first call is counted already. */
  readonly #paid = new WeakSet<Request>();
  /** The addresses of requests that stand for others. */
  readonly #addresses = new WeakMap<Request, string>();
  /** Requests that a rule before their route has admitted, and counted. */
  readonly #ahead = new WeakSet<Request>();

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#limiter = options.limiter ?? new RateLimiter();
  }

  /** Whether nobody needs a key (Guard.G3). */
  get keysOff(): boolean {
    return this.#options.authenticate === undefined;
  }

  /**
   * Lets a request pass, or not; at once where nothing of a key has to be found out.
   * @throws {Problem} 401 without a good key, 403 for one that is not good for this, 429 for one request too many.
   */
  admit(request: Request, access: Access): Promise<void> | undefined {
    const { authenticate, rateLimit } = this.#options;
    if (rateLimit?.() !== undefined) this.#paid.add(request);
    const counts = !this.#ahead.has(request);
    const counted = counts ? this.countAddress(request) : undefined;
    if (authenticate === undefined || access === "open") return counted; // Guard.G3
    return this.#admitKey(request, access, authenticate, counts, counted);
  }

  /** As {@link admit}, for a rule that stands before a route: the route admits the request again, and does not count it again. */
  admitAhead(request: Request, access: Access): Promise<void> | undefined {
    const admission = this.admit(request, access);
    this.#ahead.add(request);
    return admission;
  }

  async #admitKey(
    request: Request,
    access: Access,
    authenticate: NonNullable<GuardOptions["authenticate"]>,
    counts: boolean,
    counted: Promise<void> | undefined,
  ): Promise<void> {
    if (counted !== undefined) await counted;
    const principal = await this.#authenticate(request, authenticate);
    identify(request, principal);
    const countedKey = counts ? this.#count(request, `key ${principal.keyId}`) : undefined;
    if (countedKey !== undefined) await countedKey;
    if (!mayUse(principal, access)) throw notAllowed(access);
  }

  /** Whose bearer key a request carries. @throws {Problem} 401, 429; {TypeError} where authentication is off. */
  async caller(request: Request): Promise<Principal> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) throw new TypeError("Cannot tell who asks as authentication is off");
    await this.countAddress(request);
    return await this.#authenticate(request, authenticate);
  }

  /** Whose key a token is; `undefined`: it is none that is good. @throws {TypeError} where authentication is off. */
  async holderOf(token: string): Promise<Principal | undefined> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) throw new TypeError("Cannot tell who asks as authentication is off");
    return BEARER.test(`Bearer ${token}`) ? await authenticate(token) : undefined;
  }

  /**
   * Counts a call that a request brought, where it may bring several: each against the limits of its address and its key. The first
   * one was counted when the request was admitted. @throws {Problem} 429.
   */
  countCall(request: Request): Promise<void> | undefined {
    if (this.#options.rateLimit?.() === undefined || this.#paid.delete(request)) return undefined;
    const principal = principalOf(request);
    const countKey = (): Promise<void> | undefined =>
      principal === undefined ? undefined : this.#count(request, `key ${principal.keyId}`);
    const counted = this.countAddress(request);
    return counted === undefined ? countKey() : counted.then(countKey);
  }

  /** From now on `copy` comes from where `request` does: for a request that the server takes back once it is a socket. */
  standIn(copy: Request, request: Request): void {
    this.#addresses.set(copy, this.#addressOf(request));
  }

  #addressOf(request: Request): string {
    const { peer, trustedProxies = [] } = this.#options;
    return (
      this.#addresses.get(request) ??
      clientAddress(peer?.(request) ?? "", request.headers.get("x-forwarded-for"), trustedProxies)
    );
  }

  /** Counts a request against the limit of its address; a promise where others are asked. @throws {Problem} 429. */
  countAddress(request: Request): Promise<void> | undefined {
    if (this.#options.rateLimit?.() === undefined) return undefined;
    return this.#count(request, `address ${networkOf(this.#addressOf(request))}`);
  }

  /** Tells how much of the limit a request has left. */
  describe(request: Request, response: Response): void {
    const taken = this.#taken.get(request);
    if (taken === undefined) return;
    const { headers } = response;
    headers.set("ratelimit-limit", String(taken.limit));
    headers.set("ratelimit-remaining", String(taken.left));
    headers.set("ratelimit-reset", String(taken.resetSeconds));
  }

  async #authenticate(request: Request, authenticate: NonNullable<GuardOptions["authenticate"]>): Promise<Principal> {
    const header = request.headers.get("authorization");
    if (header === null) throw unauthenticated("key.missing", "This needs a key: send it as a bearer token", "");
    const secret = BEARER.exec(header)?.[1];
    const principal = secret === undefined ? undefined : await authenticate(secret);
    if (principal === undefined)
      throw unauthenticated("key.invalid", "The key is unknown, revoked or expired", ', error="invalid_token"');
    return principal;
  }

  #count(request: Request, caller: string): Promise<void> | undefined {
    const limit = this.#options.rateLimit?.();
    if (limit === undefined) return undefined;
    const { monotonic = () => performance.now() } = this.#options;
    const taken = this.#limiter.take(caller, limit, monotonic());
    if (taken instanceof Promise) return taken.then((answer) => this.#note(request, limit, answer));
    this.#note(request, limit, taken);
    return undefined;
  }

  #note(request: Request, limit: RateLimit, taken: Taken): void {
    const before = this.#taken.get(request);
    // Both limits hold; the answer tells of the one that is nearer.
    if (before === undefined || taken.left < before.left || !taken.allowed) this.#taken.set(request, taken);
    if (!taken.allowed)
      throw new Problem(429, "rate.exceeded", `More than ${limit.perSecond} requests a second came from here`, {
        retryAfter: taken.resetSeconds,
      });
  }
}

function unauthenticated(code: string, detail: string, reason: string): Problem {
  return new Problem(401, code, detail, { headers: { "www-authenticate": `Bearer realm="troupe"${reason}` } });
}

function notAllowed(access: Access): Problem {
  return new Problem(403, "scope.missing", `This needs a key with the scope ${access}`, {
    headers: { "www-authenticate": `Bearer realm="troupe", error="insufficient_scope", scope="${access}"` },
  });
}
