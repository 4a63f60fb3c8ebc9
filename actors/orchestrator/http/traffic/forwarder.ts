/**
 * Role: hands requests for services to their replicas, and answers with what those say: streams, SSE and WebSockets too.
 *
 * F1 A request goes to a replica of the table alone: what is drained gets none.
 * F2 While a container that was taken out still has requests here, its service knows; it is stopped once they are over.
 * F3 A request that reached nobody is tried with another replica; one that may have arrived only if it is safe.
 * F4 A service that sleeps is woken, and the request waits for it.
 * F5 What waits and what is under way has bounds; beyond them the answer is 503 with `Retry-After`.
 */
import { notFound } from "#infra/http/endpoint.ts";
import { Problem } from "#infra/http/problem.ts";
import type { Log, Topics, Troupe } from "#runtime";
import { Autoscaler } from "../../autoscaler/autoscaler.ts";
import { Config } from "../../config/config.ts";
import type { GatewayRule } from "../../config/messages.ts";
import { SERVICE_NAME } from "../../service/messages.ts";
import { Service } from "../../service/service.ts";
import { Balancer, type Lease } from "./balancer.ts";
import { headersBack, headersOnward } from "./headers.ts";
import { RouteCache } from "./route-cache.ts";
import { Rules } from "./rules.ts";
import { Tunnel } from "./tunnel.ts";

/** What {@link Forwarder} is given. */
export interface ForwarderOptions {
  readonly troupe: () => Pick<Troupe, "ref" | "nodeId">;
  readonly topics: () => Pick<Topics, "subscribe">;
  readonly log: Log;
  readonly limits?: Partial<ForwardLimits>;
}

/** @default 1,000 requests at once per replica, 10,000 waiting; 30 s for a service to wake, 5 s for a replica to be ready */
export interface ForwardLimits {
  readonly perReplica: number;
  readonly waiting: number;
  readonly wakeMs: number;
  readonly readyMs: number;
}

/** A part of the address space: requests below `prefix` go to `service`. */
export interface Destination {
  readonly service: string;
  /** What the container gets as its path, with the query. */
  readonly path: string;
}

/** What a node has seen of a service's requests since the last reading. */
export interface TrafficReading {
  readonly inFlight: number;
  readonly waiting: number;
  readonly lastAt: number;
  /** By revision: how many requests, and how many of them failed (5xx or unreachable). */
  readonly revisions: Readonly<Record<string, { readonly requests: number; readonly errors: number }>>;
}

/** Makes a WebSocket of a request; `false`: it cannot be one. */
export type UpgradeTunnel = (request: Request, tunnel: Tunnel, headers: Record<string, string>) => boolean;

const LIMITS: ForwardLimits = { perReplica: 1_000, waiting: 10_000, wakeMs: 30_000, readyMs: 5_000 };
const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const MAX_TRIES = 4;
const TELL_MS = 1_000;
/** Answers up to this size are read at once; larger ones, and those of unknown size, are passed on as they come. */
const WHOLE_BYTES = 64 * 1024;
/** A body up to this size is kept, so that a request that reached nobody can be sent to somebody else. */
const KEPT_BODY_BYTES = 64 * 1024;
/** Sockets of a container that goes are told to come back after this. */
const TUNNEL_GRACE_MS = 3_000;

interface Forwarded {
  readonly balancer: Balancer;
  readonly tunnels: Set<Tunnel>;
  waiting: number;
  lastAt: number;
  revisions: Record<string, { requests: number; errors: number }>;
}

/** A rule that leads to a service. */
export type ServiceRule = GatewayRule & { readonly service: string };

export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #limits: ForwardLimits;
  readonly #cache: RouteCache;
  readonly #services = new Map<string, Forwarded>();
  readonly #rules = new Rules();
  readonly #telling: ReturnType<typeof setInterval>;
  readonly #told = new Map<string, number>();
  #waiting = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    const { troupe, topics, log } = options;
    this.#cache = new RouteCache({ troupe, topics, log, changed: (service) => void this.#release(service) });
    this.#telling = setInterval(() => void this.#tell(), TELL_MS);
  }

  /** The gateway rule for a path, as it was a second ago at the latest; `undefined`: there is none. */
  ruleFor(path: string): GatewayRule | undefined {
    return this.#rules.none ? undefined : this.#rules.find(path);
  }

  /** Counts a request for a route of our own that a rule is about. @throws {Problem} 429 */
  countOwn(rule: GatewayRule, peer: string | undefined): void {
    this.#rules.count(rule, peer);
  }

  /** Where a rule leads: its rate is counted. @throws {Problem} 429 */
  destinationBy(rule: ServiceRule, path: string, query: string, peer: string | undefined): Destination {
    this.#rules.count(rule, peer);
    const rest = rule.stripPrefix ? path.slice(rule.path.length) || "/" : path;
    return { service: rule.service, path: `${rest}${query === "" ? "" : `?${query}`}` };
  }

  /** Where a path leads: `/s/web/a` to `/a` of `web`; `undefined` when it is none of ours. */
  destinationOf(path: string, query: string): Destination | undefined {
    if (!path.startsWith("/s/")) return undefined;
    const end = path.indexOf("/", 3);
    const service = end < 0 ? path.slice(3) : path.slice(3, end);
    if (!SERVICE_NAME.test(service)) return undefined;
    return { service, path: `${end < 0 ? "/" : path.slice(end)}${query === "" ? "" : `?${query}`}` };
  }

  /** How many requests each service has here, and what became of those since the last reading. */
  readings(): ReadonlyMap<string, TrafficReading> {
    const result = new Map<string, TrafficReading>();
    for (const [name, { balancer, waiting, lastAt, revisions }] of this.#services)
      result.set(name, { inFlight: balancer.total + waiting, waiting, lastAt, revisions });
    for (const service of this.#services.values()) service.revisions = {};
    return result;
  }

  /** Hands a request to a replica. `undefined`: it became a WebSocket. */
  async forward(
    request: Request,
    { service: name, path }: Destination,
    peer: string | undefined,
    upgrade: UpgradeTunnel | undefined,
  ): Promise<Response | undefined> {
    const state = this.#of(name);
    state.lastAt = Date.now();
    const socket = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    const headers = headersOnward(request, peer);
    const body = socket ? null : await bodyOf(request);
    const tried = new Set<string>();
    for (let attempt = 1; ; attempt++) {
      const lease = await this.#lease(name, state, tried);
      const { containerId, port, revision, address: machine = "127.0.0.1" } = lease.replica;
      const address = `${machine.includes(":") ? `[${machine}]` : machine}:${port}`;
      const counts = (state.revisions[revision] ??= { requests: 0, errors: 0 });
      counts.requests++;
      try {
        if (socket) {
          await this.#tunnel(request, `ws://${address}${path}`, headers, state, lease, upgrade);
          return undefined;
        }
        const response = await fetch(`http://${address}${path}`, {
          method: request.method,
          headers,
          body: body as BodyInit | null,
          redirect: "manual",
          signal: request.signal,
          decompress: false,
        } as RequestInit);
        if (response.status >= 500) counts.errors++;
        return await answer(response, request.method, lease);
      } catch (error) {
        counts.errors++;
        lease.end(!request.signal.aborted);
        if (error instanceof Problem) throw error;
        if (request.signal.aborted) return new Response(null, { status: 499 });
        tried.add(containerId);
        const again = reachedNobody(error) ? !(body instanceof ReadableStream) : SAFE.has(request.method);
        if (again && attempt < MAX_TRIES) continue; // Forwarder.F3
        throw new Problem(502, "service.unreachable", "The service did not answer", { retryAfter: 1 });
      }
    }
  }

  stop(): void {
    clearInterval(this.#telling);
    this.#cache.stop();
    for (const { tunnels } of this.#services.values()) for (const tunnel of tunnels) tunnel.close(1001, "going away");
  }

  /** Tells autoscalers what their services have to do, and services how a revision that is tried is doing. */
  async #tell(): Promise<void> {
    const { troupe: running } = this.#options;
    await this.#readRules().catch(() => undefined);
    for (const [name, { inFlight, lastAt, revisions }] of this.readings()) {
      try {
        const troupe = running();
        const route = await this.#cache.get(name);
        if (route === null) continue;
        if (route.share !== null && Object.keys(revisions).length > 0)
          await troupe.ref(Service, name).traffic({ revisions });
        // One word more when all is quiet: the last number that was told must not stand.
        const quiet = inFlight === 0 && this.#told.get(name) === lastAt;
        if (!route.scaled || quiet) continue;
        if (inFlight === 0) this.#told.set(name, lastAt);
        await troupe.ref(Autoscaler, name).sample({ node: troupe.nodeId, inFlight, lastAt });
      } catch {
        // Told again in a second.
      }
    }
  }

  async #readRules(): Promise<void> {
    this.#rules.set(await this.#options.troupe().ref(Config, "main").gateway());
  }

  #of(name: string): Forwarded {
    const known = this.#services.get(name);
    if (known) return known;
    const made: Forwarded = {
      balancer: new Balancer((containerId, open) => void this.#ended(name, containerId, open)),
      tunnels: new Set(),
      waiting: 0,
      lastAt: 0,
      revisions: {},
    };
    this.#services.set(name, made);
    return made;
  }

  /** A place at a replica; waits for one where there is none (Forwarder.F4, Forwarder.F5). */
  async #lease(name: string, state: Forwarded, tried: ReadonlySet<string>): Promise<Lease> {
    let route = await this.#cache.get(name);
    if (route === null) {
      if (state.balancer.total === 0) this.#services.delete(name);
      throw notFound("service");
    }
    if (!route.routed) throw new Problem(503, "service.no_ports", "The service has no ports", { retryAfter: 5 });
    const since = performance.now();
    let waits = false;
    try {
      for (;;) {
        const lease = state.balancer.take(route, tried) ?? state.balancer.take(route, NOBODY);
        if (lease) {
          if (state.balancer.open(lease.replica.containerId) <= this.#limits.perReplica) return lease;
          lease.end();
          throw busy();
        }
        if (!waits) {
          if (this.#waiting >= this.#limits.waiting) throw busy();
          waits = true;
          this.#waiting++;
          state.waiting++;
        }
        const asleep = route.asleep;
        if (asleep) await this.#options.troupe().ref(Service, name).awake();
        const limit = asleep || route.desired > 0 ? this.#limits.wakeMs : this.#limits.readyMs;
        if (performance.now() - since > limit)
          throw new Problem(503, "service.unavailable", "No replica of the service is ready", { retryAfter: 1 });
        await this.#cache.next(name, 200);
        const next = await this.#cache.refresh(name);
        if (next === null) throw notFound("service");
        route = next;
      }
    } finally {
      if (waits) {
        this.#waiting--;
        state.waiting--;
      }
    }
  }

  async #tunnel(
    request: Request,
    url: string,
    headers: Headers,
    state: Forwarded,
    lease: Lease,
    upgrade: UpgradeTunnel | undefined,
  ): Promise<void> {
    const tunnel = await Tunnel.open(url, headers, () => {
      state.tunnels.delete(tunnel);
      lease.end();
    });
    tunnel.containerId = lease.replica.containerId;
    state.tunnels.add(tunnel);
    const protocol = tunnel.protocol === "" ? {} : { "sec-websocket-protocol": tunnel.protocol };
    if (upgrade?.(request, tunnel, protocol) === true) return;
    tunnel.close(1002, "no handshake");
    throw new Problem(400, "handshake.malformed", "The WebSocket handshake is not complete");
  }

  /** A table has changed: what was taken out and still has requests is told of (Forwarder.F2). */
  async #release(name: string): Promise<void> {
    const state = this.#services.get(name);
    if (!state) return;
    const route = await this.#cache.get(name).catch(() => null);
    const there = new Set(route?.replicas.map(({ containerId }) => containerId));
    const node = this.#options.troupe().nodeId;
    for (const [containerId, open] of [...state.balancer.busy]) {
      if (there.has(containerId)) continue;
      await this.#options
        .troupe()
        .ref(Service, name)
        .holds({ node, containerId, open })
        .catch(() => undefined);
    }
    for (const tunnel of state.tunnels) {
      if (tunnel.containerId !== undefined && !there.has(tunnel.containerId))
        setTimeout(() => tunnel.close(1012, "service restart"), TUNNEL_GRACE_MS);
    }
  }

  async #ended(name: string, containerId: string, open: number): Promise<void> {
    if (open > 0) return;
    const route = await this.#cache.get(name).catch(() => null);
    if (route === null || route.replicas.some((replica) => replica.containerId === containerId)) return;
    const node = this.#options.troupe().nodeId;
    await this.#options
      .troupe()
      .ref(Service, name)
      .holds({ node, containerId, open: 0 })
      .catch(() => undefined);
  }
}

const NOBODY: ReadonlySet<string> = new Set();

function busy(): Problem {
  return new Problem(503, "service.overloaded", "The service has as many requests as it may have", { retryAfter: 1 });
}

/** Small bodies are kept for another try; others are passed on as they come. */
async function bodyOf(request: Request): Promise<ArrayBuffer | ReadableStream | null> {
  if (request.body === null) return null;
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  return length <= KEPT_BODY_BYTES ? await request.arrayBuffer() : request.body;
}

/** The request never left: no connection was made. */
function reachedNobody(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === "ConnectionRefused" || code === "ECONNREFUSED" || code === "FailedToOpenSocket";
}

async function answer(response: Response, method: string, lease: Lease): Promise<Response> {
  const headers = headersBack(response);
  const init = { status: response.status, statusText: response.statusText, headers };
  const length = Number(headers.get("content-length") ?? Number.NaN);
  if (response.body === null || method === "HEAD" || length <= WHOLE_BYTES) {
    const whole = response.body === null ? null : await response.arrayBuffer();
    lease.end();
    return new Response(method === "HEAD" ? null : whole, init);
  }
  const reader = response.body.getReader();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      lease.end();
    },
    async cancel(reason) {
      lease.end();
      await reader.cancel(reason);
    },
  });
  return new Response(stream, init);
}
