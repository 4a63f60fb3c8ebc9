import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";

/** Actors that are kept apart at a time. One that is forgotten is found again by the next refusal. */
const MAX_APART = 1_000;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 500;

interface Entry {
  turns: FinishedTurn[];
  refusals: number;
  state: "pausing" | "ready" | "empty";
}

/**
 * The actors whose turns the store has refused (G8): each has its own transaction from then on, and after every further
 * refusal a longer pause before it, so that its neighbours hardly notice. The first that is taken ends it.
 */
export class SetApart {
  readonly #after: (ms: number, task: () => void) => void;
  readonly #due: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: string[] = [];

  /** @param due told when there is something to {@link take}. */
  constructor(after: (ms: number, task: () => void) => void, due: () => void) {
    this.#after = after;
    this.#due = due;
  }

  get ready(): boolean {
    return this.#ready.length > 0;
  }

  /** The store has refused an actor alone. */
  add(address: string): void {
    const entry = this.#entries.get(address);
    if (entry !== undefined) {
      entry.refusals++;
      return;
    }
    if (this.#entries.size >= MAX_APART) {
      const idle = [...this.#entries].find(([, { turns }]) => turns.length === 0);
      if (idle === undefined) return;
      this.#entries.delete(idle[0]);
    }
    this.#entries.set(address, { turns: [], refusals: 1, state: "empty" });
  }

  /** Keeps a turn of an actor that is set apart. Returns whether it does. */
  takes(turn: FinishedTurn): boolean {
    return this.#entries.size > 0 && this.#keeps(turn);
  }

  #keeps(turn: FinishedTurn): boolean {
    const { address } = turn.activation;
    const entry = this.#entries.get(address);
    if (entry === undefined) return false;
    entry.turns.push(turn);
    if (entry.state !== "empty") return true;
    entry.state = "pausing";
    if (entry.refusals < 2) {
      this.#ripe(address, entry); // it may have been a passing thing
      return true;
    }
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(entry.refusals, 10));
    this.#after(pauseMs, () => this.#ripe(address, entry));
    return true;
  }

  /** The turns of the next actor whose pause is over, to be written alone. */
  take(): readonly FinishedTurn[] | undefined {
    for (let address = this.#ready.shift(); address !== undefined; address = this.#ready.shift()) {
      const entry = this.#entries.get(address);
      const turns = entry?.turns.splice(0) ?? [];
      if (entry !== undefined) entry.state = "empty";
      if (turns.length > 0) return turns;
    }
    return undefined;
  }

  /** Ends all pauses. */
  hurry(): void {
    for (const [address, entry] of this.#entries) this.#ripe(address, entry);
  }

  /** Turns were written: their actors are like any other again. */
  wrote(turns: readonly FinishedTurn[]): void {
    if (this.#entries.size === 0) return;
    for (const { activation } of turns) {
      // What it has left to write follows alone; nobody of it is among the gathered ones by then.
      if (this.#entries.get(activation.address)?.turns.length === 0) this.#entries.delete(activation.address);
    }
  }

  /**
   * Takes away the turns of actors that start anew. Those of the same address under a later ownership are others: they stay, as
   * nobody tells their actor that they are gone.
   */
  drop(actors: ReadonlySet<TurnOwner>): FinishedTurn[] {
    const dropped: FinishedTurn[] = [];
    for (const entry of this.#entries.values()) {
      const gone = entry.turns.filter((turn) => actors.has(turn.activation));
      if (gone.length === 0) continue;
      dropped.push(...gone);
      entry.turns = entry.turns.filter((turn) => !actors.has(turn.activation));
    }
    return dropped;
  }

  #ripe(address: string, entry: Entry): void {
    if (entry.state !== "pausing" || this.#entries.get(address) !== entry) return;
    entry.state = "ready";
    this.#ready.push(address);
    this.#due();
  }
}
