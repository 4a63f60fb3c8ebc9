import type { LaneLoad } from "../ports/metrics.ts";
import { CommitLane, type CommitLaneParts } from "./commit-lane.ts";

/** The commit lanes of one store on this node: each partition has one, and shares it with others. */
export class CommitLanes {
  readonly #lanes: readonly CommitLane[];

  /** @param count how many lanes there are: how many commits may be under way at a time. */
  constructor(count: number, parts: CommitLaneParts) {
    this.#lanes = Array.from({ length: count }, () => new CommitLane(parts));
  }

  /** The lane that writes a partition. */
  of(partition: number): CommitLane {
    return this.#lanes[partition % this.#lanes.length] as CommitLane;
  }

  /** Turns that may wait for their commits before no further ones begin. */
  get limit(): number {
    let sum = 0;
    for (const { room } of this.#lanes) sum += room.limit;
    return sum;
  }

  /** How full they are, together. */
  get load(): LaneLoad {
    const rooms = this.#lanes.map(({ room }) => room);
    return {
      lanes: rooms.length,
      full: rooms.filter(({ full }) => full).length,
      turns: rooms.reduce((sum, { turns }) => sum + turns, 0),
      limit: rooms.reduce((sum, { limit }) => sum + limit, 0),
    };
  }

  /** Resolves when nothing is left to write. */
  async drained(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
  }

  /** The node stops: a store that does not answer is asked a few times more. */
  stop(): void {
    for (const lane of this.#lanes) lane.stop();
  }
}
