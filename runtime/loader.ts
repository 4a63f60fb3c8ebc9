import type { ActorId, LoadedActor } from "./ports/store.ts";

interface Wanted {
  readonly actor: ActorId;
  resolve(loaded: LoadedActor): void;
  reject(error: unknown): void;
}

const MAX_LOAD = 500;

/**
 * Reads many actors with one query: while a read is under way, further requests gather for the next one. Two reads may
 * run at once.
 */
export class Loader {
  readonly #load: (actors: readonly ActorId[]) => Promise<readonly LoadedActor[]>;
  #wanted: Wanted[] = [];
  #running = 0;

  constructor(load: (actors: readonly ActorId[]) => Promise<readonly LoadedActor[]>) {
    this.#load = load;
  }

  load(actor: ActorId): Promise<LoadedActor> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ actor, resolve, reject });
      if (this.#running < 2) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    await Promise.resolve();
    while (this.#wanted.length > 0) {
      const batch = this.#wanted.splice(0, MAX_LOAD);
      try {
        const rows = await this.#load(batch.map((wanted) => wanted.actor));
        batch.forEach((wanted, i) => wanted.resolve(rows[i] as LoadedActor));
      } catch (error) {
        for (const wanted of batch) wanted.reject(error);
      }
    }
    this.#running--;
  }
}
