import { pause } from "#infra/base/pause.ts";
import type { Asked, Ending } from "./history.ts";

/** An app process that takes requests. */
export interface Entrance {
  readonly address: string;
  /** Whether it was killed meanwhile. */
  readonly killed: () => boolean;
}

const TICK_MS = 5;
/** So many requests wait for their answers at once; what comes due meanwhile is not made up for. */
const MOST_OPEN = 64;
/** A tick that comes late makes up for so much at most. */
const MOST_PER_TICK = 10;
const ANSWER_WITHIN_MS = 45_000;
/** Each nth request is one that must not be repeated. */
const UNSAFE_EVERY = 5;

/**
 * Asks for one path at a steady rate over connections that are kept, by turns at each process that is there, as a load balancer
 * would: one that was killed gets no new requests.
 */
export class Load {
  readonly asked: Asked[] = [];
  readonly #entrances: () => readonly Entrance[];
  readonly #path: string;
  #open = 0;
  #turn = 0;

  constructor(path: string, entrances: () => readonly Entrance[]) {
    this.#path = path;
    this.#entrances = entrances;
  }

  /** Asks until `over`; resolves when every request has its answer. */
  async run(perSecond: number, over: AbortSignal): Promise<void> {
    let due = 0;
    let last = performance.now();
    while (!over.aborted) {
      await pause(TICK_MS, over);
      const now = performance.now();
      due = Math.min(due + ((now - last) / 1_000) * perSecond, MOST_PER_TICK);
      last = now;
      for (; due >= 1; due--) if (this.#open < MOST_OPEN) void this.#ask();
    }
    while (this.#open > 0) await pause(TICK_MS);
  }

  async #ask(): Promise<void> {
    const there = this.#entrances();
    const turn = this.#turn++;
    const entrance = there[turn % there.length];
    if (entrance === undefined) return;
    const method = turn % UNSAFE_EVERY === 0 ? "POST" : "GET";
    const at = Date.now();
    const since = performance.now();
    this.#open++;
    const { ending, why } = await send(entrance, this.#path, method);
    this.#open--;
    this.asked.push({ at, ms: performance.now() - since, method, ending, ...(why === undefined ? {} : { why }) });
  }
}

async function send(
  { address, killed }: Entrance,
  path: string,
  method: "GET" | "POST",
): Promise<{ readonly ending: Ending; readonly why?: string }> {
  try {
    const response = await fetch(address + path, {
      method,
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      ...(method === "POST" ? { body: "{}" } : {}),
    });
    const text = await response.text();
    if (response.status === 200) return { ending: "ok" };
    if (response.status === 500 && text.includes("as asked")) return { ending: "asked" };
    return { ending: "failed", why: `${response.status} ${codeOf(text)}` };
  } catch (error) {
    return killed() ? { ending: "cut" } : { ending: "failed", why: String((error as { code?: string }).code ?? error) };
  }
}

function codeOf(text: string): string {
  return /"code":"([^"]+)"/.exec(text)?.[1] ?? text.slice(0, 80);
}
