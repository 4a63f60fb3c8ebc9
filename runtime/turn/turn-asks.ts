import { textHash } from "../base/hash.ts";
import type { Envelope } from "../ports/envelope.ts";

const PREFIX = "ask_";

/** Whether an id was made by the runtime for an ask inside a turn. */
export function isDerivedId(id: string): boolean {
  return id.startsWith(PREFIX);
}

/** What one turn asks of other actors: with ids, so that a turn that is run again asks nothing twice (G5). */
export class TurnAsks {
  /** What the asks are part of; `undefined`: what the message of the turn is part of. */
  readonly traceparent: string | undefined;
  /** Identical asks so far: what tells the second one from the first. */
  readonly #counts = new Map<string, number>();
  /** The actors that the turn waits for. */
  readonly #waiting = new Map<string, number>();

  constructor(traceparent: string | undefined) {
    this.traceparent = traceparent;
  }

  /**
   * The id of an ask. The same for the same ask of the same try of a message: one whose commit was fenced is run again, and
   * finds what its first run was answered. A try that failed by itself is another one, and asks anew.
   * @param token what tells the message of the turn from any other.
   */
  idOf(from: Envelope, token: string, address: string, message: string, input: unknown): string {
    const what = `${from.type}/${from.key} ${from.message} ${token} ${from.attempt} ${address} ${message} ${textOf(input)}`;
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return `${PREFIX}${textHash(`${what} ${count}`)}${textHash(`${count} ${what}`)}`;
  }

  /** The turn waits for an answer of `address` until `answer` settles. */
  async waitFor<T>(address: string, answer: Promise<T>): Promise<T> {
    this.#waiting.set(address, (this.#waiting.get(address) ?? 0) + 1);
    try {
      return await answer;
    } finally {
      const left = (this.#waiting.get(address) ?? 1) - 1;
      if (left > 0) this.#waiting.set(address, left);
      else this.#waiting.delete(address);
    }
  }

  /** The actors that the turn waits for. */
  get waitingFor(): Iterable<string> {
    return this.#waiting.keys();
  }
}

function textOf(input: unknown): string {
  try {
    return JSON.stringify(input) ?? "";
  } catch {
    return String(input); // it will not cross nodes, and is told so where it arrives
  }
}
