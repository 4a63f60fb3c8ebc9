import type { Engine } from "#infra/engines/engine.ts";
import type { Running, Sighting } from "./history.ts";

/** An engine that is watched. */
export interface Watched {
  readonly name: string;
  readonly engine: Pick<Engine, "events" | "list">;
}

/**
 * Notes which containers of one service run, at each start and each end that an engine tells of: what was there for a moment
 * only is seen, too. What ran on an engine that is away counts as running until it can be asked again.
 */
export class Watch {
  readonly sightings: Sighting[] = [];
  readonly #service: string;
  readonly #running = new Map<string, Running>();
  readonly #strangers = new Set<string>();
  readonly #over = new AbortController();
  readonly #following: Promise<unknown>;

  constructor(hosts: readonly Watched[], service: string) {
    this.#service = service;
    this.#following = Promise.all(hosts.map((host) => this.#follow(host)));
  }

  /** A container that carries the labels of the service, and is none of its own. To be said before it is started. */
  ignore(id: string): void {
    this.#strangers.add(id);
  }

  /** What runs now. */
  get running(): readonly Running[] {
    return [...this.#running.values()];
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#following;
  }

  async #follow({ name, engine }: Watched): Promise<void> {
    for await (const event of engine.events(this.#over.signal)) {
      if (event.kind === "lost") continue;
      if (event.kind === "resync") await this.#relist(name, engine);
      else {
        const { containerId: id, action, identity } = event;
        if (identity.service !== this.#service || this.#strangers.has(id)) continue;
        if (action === "start") this.#running.set(id, { host: name, id, ...placeOf(identity) });
        else if (action === "die" || action === "destroy") this.#running.delete(id);
        else continue;
      }
      this.sightings.push({ at: Date.now(), running: this.running });
    }
  }

  async #relist(host: string, engine: Watched["engine"]): Promise<void> {
    const there = await engine.list(this.#service).catch(() => undefined);
    if (there === undefined) return;
    for (const one of this.running) if (one.host === host) this.#running.delete(one.id);
    for (const one of there)
      if (one.state === "running" && !this.#strangers.has(one.id))
        this.#running.set(one.id, { host, id: one.id, ...placeOf(one) });
  }
}

function placeOf({ revision, replica }: { readonly revision: string; readonly replica: number }) {
  return { revision, replica };
}
