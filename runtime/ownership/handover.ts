/**
 * Moves partitions to the nodes they belong on, a few at a time.
 *
 * Owns: which partitions are on the move. Does not own: the plan (`Ownership`), turns and relays (the store host).
 * Calls in: `start`, `idle`, `moving`. Calls out: everything in `HandoverHost`.
 *
 * H1 a partition is released only when no turn of it runs, everything it finished is durable, and its cursors are saved.
 * H2 whoever calls meanwhile waits (`moving`), and is routed to the next owner: a handover costs time, never an error.
 * H3 what cannot be brought to an end in time is opened again, and tried later: a long turn holds up its partition only.
 */
import type { Clock } from "../base/clock.ts";
import type { NodeId } from "../ports/store.ts";
import type { Partition } from "./partition.ts";

/** A partition held here that belongs on another node. */
export interface Move {
  readonly partition: Partition;
  readonly to: NodeId;
}

export interface HandoverHost {
  readonly clock: Clock;
  /** How many partitions the store has. */
  readonly partitionCount: number;
  /** What belongs elsewhere now. */
  due(): readonly Move[];
  /** Lets no further turn begin. Resolves with `true` when those under way are durable, `false` after `withinMs`. */
  endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean>;
  /** Undoes `endTurns`. */
  reopen(partitions: readonly Partition[]): Promise<void>;
  /** Takes them out of use, saves their cursors, and gives them back to the store. */
  release(partitions: readonly Partition[]): Promise<void>;
  /** Tells the next owner. Resolves when it holds them. */
  offer(node: NodeId, partitions: readonly Partition[]): Promise<void>;
  /** Something went wrong on the way: the store is to be asked who holds what. */
  failed(error: unknown, partitions: readonly Partition[]): Promise<void>;
}

/** So few that a node that joins stalls a small part of the store at a time: one of so many. */
const SHARE = 16;
const PATIENCE_MS = 1_000;
/** For a partition whose turns did not end in time. */
const RETRY_AFTER_MS = 5_000;

export class Handover {
  readonly #host: HandoverHost;
  readonly #moving = new Map<number, Promise<void>>();
  readonly #notBefore = new Map<number, number>();
  #running: Promise<void> | undefined;

  constructor(host: HandoverHost) {
    this.#host = host;
  }

  /** Moves what is due, unless that is under way already. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** How many partitions are on the move. */
  get count(): number {
    return this.#moving.size;
  }

  /** Settles when the partition is with its next owner, or here to stay; `undefined` when it is not on the move. */
  moving(partition: number): Promise<void> | undefined {
    return this.#moving.get(partition);
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // `#running` has to be set before it is cleared
    for (let moves = this.#next(); moves.length > 0; moves = this.#next()) await this.#move(moves);
    this.#running = undefined;
  }

  /** The next few, all to one node. */
  #next(): readonly Move[] {
    const now = this.#host.clock.monotonic();
    const due = this.#host.due().filter(({ partition }) => (this.#notBefore.get(partition.id) ?? now) <= now);
    return due.filter(({ to }) => to === due[0]?.to).slice(0, Math.ceil(this.#host.partitionCount / SHARE));
  }

  async #move(moves: readonly Move[]): Promise<void> {
    const partitions = moves.map((move) => move.partition);
    let over = (): void => undefined;
    const moved = new Promise<void>((resolve) => (over = resolve));
    for (const { id } of partitions) {
      this.#moving.set(id, moved); // Handover.H2
      this.#notBefore.delete(id);
    }
    try {
      if (!(await this.#host.endTurns(partitions, PATIENCE_MS))) {
        const later = this.#host.clock.monotonic() + RETRY_AFTER_MS; // Handover.H3
        for (const { id } of partitions) this.#notBefore.set(id, later);
        await this.#host.reopen(partitions);
        return;
      }
      await this.#host.release(partitions); // Handover.H1
      await this.#host.offer((moves[0] as Move).to, partitions);
    } catch (error) {
      this.#arrived(partitions); // asking the store puts right whatever is not where it should be
      await this.#host.failed(error, partitions);
    } finally {
      this.#arrived(partitions);
      over();
    }
  }

  #arrived(partitions: readonly Partition[]): void {
    for (const { id } of partitions) this.#moving.delete(id);
  }
}
