import type { Log, Topics, Troupe } from "#runtime";
import type { RouteTable } from "../../service/messages.ts";
import { Service } from "../../service/service.ts";

/** What a node knows of where requests go. `null`: there is no such service. */
export type Route = RouteTable | null;

interface Entry {
  route: Route;
  readAt: number;
  reading: Promise<Route> | undefined;
  usedAt: number;
}

/** A table is asked for again after so long even if nothing was told: news may have been missed. */
const TRUST_MS = 1_000;
/** What nobody used for so long is forgotten. */
const FORGET_MS = 10 * 60_000;
const MAX_ENTRIES = 1_000;

/**
 * Where the requests of each service go, kept up to date by what services tell (topic `routes`) and by asking again
 * every second while there are requests.
 */
export class RouteCache {
  readonly #troupe: () => Pick<Troupe, "ref">;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();
  readonly #changed: (service: string, route: Route) => void;
  readonly #waiting = new Map<string, Set<() => void>>();

  /** `changed` hears of every table that is not as it was. */
  constructor(options: {
    readonly troupe: () => Pick<Troupe, "ref">;
    readonly topics: () => Pick<Topics, "subscribe">;
    readonly changed: (service: string, route: Route) => void;
    readonly log: Log;
  }) {
    this.#troupe = options.troupe;
    this.#changed = options.changed;
    void this.#follow(options.topics, options.log);
  }

  /** The table of a service, at most a second old. */
  async get(service: string): Promise<Route> {
    const entry = this.#entries.get(service);
    const now = Date.now();
    if (entry) {
      entry.usedAt = now;
      if (now - entry.readAt < TRUST_MS) return entry.route;
      const reading = this.#read(service);
      if (entry.route === null || entry.route.replicas.length === 0) return await reading;
      // While there is an old answer nobody waits for the new one, nor for why there is none: its owner may just be moving.
      reading.catch(() => undefined);
      return entry.route;
    }
    return await this.#read(service);
  }

  /** Resolves at the next change of a service's table, or after `withinMs`. */
  async next(service: string, withinMs: number): Promise<void> {
    const woken = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(service) ?? new Set();
    this.#waiting.set(service, waiting.add(woken.resolve));
    const timer = setTimeout(woken.resolve, withinMs);
    await woken.promise;
    clearTimeout(timer);
    waiting.delete(woken.resolve);
    if (waiting.size === 0) this.#waiting.delete(service);
  }

  /** Asks at once. */
  async refresh(service: string): Promise<Route> {
    return await this.#read(service);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #read(service: string): Promise<Route> {
    const entry: Entry = this.#entries.get(service) ?? {
      route: null,
      readAt: Number.NEGATIVE_INFINITY,
      reading: undefined,
      usedAt: Date.now(),
    };
    if (entry.reading) return await entry.reading;
    this.#entries.set(service, entry);
    entry.reading = this.#troupe()
      .ref(Service, service)
      .routes()
      .then((route) => this.#put(service, route))
      .finally(() => (entry.reading = undefined));
    if (this.#entries.size > MAX_ENTRIES) this.#sweep();
    return await entry.reading;
  }

  #put(service: string, route: Route): Route {
    const entry = this.#entries.get(service);
    if (!entry) return route;
    const before = entry.route;
    entry.route = route;
    entry.readAt = Date.now();
    if (JSON.stringify(before) !== JSON.stringify(route)) {
      this.#changed(service, route);
      for (const wake of this.#waiting.get(service) ?? []) wake();
    }
    return route;
  }

  #sweep(): void {
    const before = Date.now() - FORGET_MS;
    for (const [service, entry] of this.#entries) if (entry.usedAt < before) this.#entries.delete(service);
    for (const service of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) return;
      this.#entries.delete(service);
    }
  }

  async #follow(topics: () => Pick<Topics, "subscribe">, log: Log): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const item of await topics().subscribe(["routes"], { signal })) {
          if (item.kind !== "message") this.#entries.clear();
          else {
            const { name, routes } = item.data as { name: string; routes: Route };
            if (this.#entries.has(name)) this.#put(name, routes);
          }
        }
      } catch (error) {
        log("debug", "routes:follow:failed", { error: String(error) });
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  }
}
