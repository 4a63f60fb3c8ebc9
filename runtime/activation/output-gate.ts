import type { Answer, Waiter } from "../message/delivery.ts";
import type { TimerWrite } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";

const NO_TIMERS: ReadonlyMap<string, TimerWrite> = new Map();

/**
 * The turns of one actor that ended well and are not durable yet: the output gate (G3).
 *
 * A2 nothing is answered that rests on a turn that is not durable: replies, refusals and queries wait behind the youngest
 *    uncommitted turn of the actor.
 */
export class OutputGate {
  /** Answers that wait for a commit. */
  gated = 0;
  #youngest: FinishedTurn | undefined;
  #timers: Map<string, TimerWrite> | undefined;

  get none(): boolean {
    return this.#youngest === undefined;
  }

  /** What the turns made of timers: newer than the timer service and the store. */
  get timers(): ReadonlyMap<string, TimerWrite> {
    return this.#timers ?? NO_TIMERS;
  }

  /** A turn ended well, with `answer` for whoever waits for it. */
  add(turn: FinishedTurn, waiter: Waiter, answer: Answer): void {
    this.#youngest = turn;
    this.waitFor(turn, waiter, answer);
    if (turn.timers === undefined) return;
    const timers = (this.#timers ??= new Map());
    for (const write of turn.timers.values()) timers.set(write.name, write);
  }

  /** `turn` is durable. */
  committed(turn: FinishedTurn): void {
    if (this.#youngest === turn) this.#youngest = undefined;
    this.gated -= turn.gated;
    if (turn.timers === undefined || this.#timers === undefined) return;
    for (const write of turn.timers.values()) {
      if (this.#timers.get(write.name) === write) this.#timers.delete(write.name);
    }
  }

  /** As `gate`, for a reply. */
  reply(waiter: Waiter, body: string | undefined): void {
    if (this.#youngest === undefined) waiter.succeed(body);
    else this.waitFor(this.#youngest, waiter, { kind: "reply", body });
  }

  /** Gives `waiter` the answer with one of the turns. */
  waitFor(turn: FinishedTurn, waiter: Waiter, answer: Answer): void {
    this.gated++;
    turn.wait(waiter, answer);
  }

  /** Gives `waiter` the answer now, or with the youngest of the turns (OutputGate.A2). */
  gate(waiter: Waiter, answer: Answer): void {
    if (this.#youngest !== undefined) this.waitFor(this.#youngest, waiter, answer);
    else if (answer.kind === "reply") waiter.succeed(answer.body);
    else waiter.fail(answer.error);
  }
}
