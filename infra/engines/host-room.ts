import type { Resources } from "./container.ts";
import type { Engine } from "./engine.ts";

/** What our containers on one host may take together; what is not given is not limited. */
export interface HostTotals {
  readonly memoryBytes?: number | undefined;
  readonly cpus?: number | undefined;
}

/** Keeps the containers of a host within totals: their limits are added up, whatever they use of them. */
export class HostRoom {
  readonly #engine: Pick<Engine, "list">;
  readonly #totals: HostTotals;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(engine: Pick<Engine, "list">, totals: HostTotals) {
    this.#engine = engine;
    this.#totals = totals;
  }

  /** Runs `create` where there is room for one more container, otherwise `full` with the numbers. One at a time. */
  async within<T>(wanted: Resources, create: () => Promise<T>, full: (why: string) => T): Promise<T> {
    const before = this.#turn;
    const mine = before.then(async () => {
      const why = await this.#objection(wanted);
      return why === undefined ? await create() : full(why);
    });
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #objection(wanted: Resources): Promise<string | undefined> {
    const there = (await this.#engine.list()).flatMap(({ state, resources }) =>
      state === "removing" || state === "dead" || resources === null ? [] : [resources],
    );
    for (const part of ["memoryBytes", "cpus"] as const) {
      const most = this.#totals[part];
      const taken = there.reduce((sum, one) => sum + one[part], 0);
      if (most !== undefined && taken + wanted[part] > most)
        return `the host is full: ${wanted[part]} ${NAMES[part]} more than the ${taken} of ${most} that are taken`;
    }
    return undefined;
  }
}

const NAMES = { memoryBytes: "bytes of memory", cpus: "processors" } as const;
