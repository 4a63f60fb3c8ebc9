/**
 * The long polls of watchers, on the node that owns the actors they look at.
 *
 * Owns: who waits for which actor. Does not own: the actors; one that is watched need not be in memory, and its being
 * watched does not keep it there. Calls in: `poll`, `abandon`, `written`, `closed`, `stop`. Calls out: the reader's `look`.
 *
 * W1 only what is durable is shown: `look` waits for the commit, `written` comes after it (G3).
 * W2 a poll waits before it looks, so that no commit falls between the two.
 * W3 nothing is kept for a watcher between two polls: one that is slow meets the newest state, whatever it has missed (G9).
 */
import type { Clock } from "../base/clock.ts";
import { textHash } from "../base/hash.ts";
import type { Waiter } from "../message/delivery.ts";
import type { TroupeError } from "../message/errors.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import { movingError } from "../ownership/partition.ts";
import type { Seen } from "../ports/envelope.ts";
import type { ActorId } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";

/** A durable state as JSON text; none where the actor does not exist. */
export interface Sight {
  readonly version: number;
  readonly state: string | undefined;
}

/** Reads an actor as a watcher may see it. */
export interface SightReader {
  /** What is durable of an actor of this node. */
  look(actor: ActorId): Promise<Sight>;
}

/** A poll with no news ends after this long, and the watcher asks again. */
export const POLL_MS = 20_000;

interface Poll {
  readonly waiter: Waiter;
  readonly address: string;
  readonly partition: number;
  readonly seen: Seen | undefined;
  readonly cancelTimer: () => void;
}

export class WatchPolls implements PartitionListener {
  readonly #clock: Clock;
  readonly #reader: SightReader;
  readonly #polls = new Map<string, Set<Poll>>();

  constructor(clock: Clock, reader: SightReader) {
    this.#clock = clock;
    this.#reader = reader;
  }

  /** Answers `waiter` with a {@link Sight} other than `seen`, as JSON, or with nothing when there is none for a while. */
  poll(actor: ActorId, partition: number, waiter: Waiter, seen: Seen | undefined): void {
    const address = `${actor.type}/${actor.key}`;
    const cancelTimer = this.#clock.after(POLL_MS, () => this.#take(poll) && waiter.succeed(undefined));
    const poll: Poll = { waiter, address, partition, seen, cancelTimer };
    const polls = this.#polls.get(address);
    if (polls === undefined) this.#polls.set(address, new Set([poll]));
    else polls.add(poll);
    this.#reader.look(actor).then(
      (sight) => this.#show(poll, sight),
      (error: unknown) => this.#take(poll) && waiter.fail(error),
    );
  }

  /** Nobody waits for this poll any more. */
  abandon(waiter: Waiter, { type, key }: ActorId): void {
    for (const poll of this.#polls.get(`${type}/${key}`) ?? []) if (poll.waiter === waiter) this.#take(poll);
  }

  /** These turns are durable. */
  written(turns: readonly FinishedTurn[]): void {
    if (this.#polls.size === 0) return;
    const newest = new Map<string, FinishedTurn>();
    for (const turn of turns) {
      // A pause is written as a turn, but says nothing of the state.
      if (turn.pause === undefined && !turn.unchanged && this.#polls.has(turn.activation.address))
        newest.set(turn.activation.address, turn);
    }
    for (const [address, turn] of newest) for (const poll of this.#polls.get(address) ?? []) this.#show(poll, turn);
  }

  /** Watchers of partitions that moved have to ask the next owner. */
  closed(partitions: ReadonlySet<number>): void {
    this.#fail((poll) => partitions.has(poll.partition), movingError());
  }

  stop(error: TroupeError): void {
    this.#fail(() => true, error);
  }

  #show(poll: Poll, { version, state }: Sight): void {
    const hash = textHash(state ?? "");
    if (poll.seen?.version === version && poll.seen.hash === hash) return;
    if (!this.#take(poll)) return;
    poll.waiter.succeed(`{"version":${version},"hash":"${hash}"${state === undefined ? "" : `,"state":${state}`}}`);
  }

  #fail(concerns: (poll: Poll) => boolean, error: TroupeError): void {
    for (const poll of [...this.#polls.values()].flatMap((polls) => [...polls])) {
      if (concerns(poll) && this.#take(poll)) poll.waiter.fail(error);
    }
  }

  /** Ends a poll; `false` when it has ended before. */
  #take(poll: Poll): boolean {
    const polls = this.#polls.get(poll.address);
    if (polls?.delete(poll) !== true) return false;
    if (polls.size === 0) this.#polls.delete(poll.address);
    poll.cancelTimer();
    return true;
  }
}
