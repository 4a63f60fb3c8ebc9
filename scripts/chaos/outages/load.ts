import { pause } from "#infra/base/pause.ts";
import type { Posted, Refusal } from "./history.ts";

/** A request that makes one event. */
export interface Request {
  readonly method: "POST" | "PUT";
  readonly path: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Requests of one key: the next one is made when the one before was answered. */
export interface Line {
  /** The `n`th request, and the event it makes; the event is read from the answer where only that tells. */
  next(n: number): { readonly request: Request; readonly posted: Posted | ((answer: unknown) => Posted) };
}

const ASK_WITHIN_MS = 30_000;
const AGAIN_MS = 200;
/** A tick that comes late makes up for so much at most: what was missed while every line waited is not made up for. */
const MOST_PER_TICK = 0.25;

/**
 * Asks at a steady rate, a line at a time; a request is sent again, the same, until it is answered with 2xx.
 *
 * Owns: what was posted and which answers came. Does not own: where the app is just now.
 */
export class Load {
  readonly posted: Posted[] = [];
  readonly #refusals = new Map<string, Refusal>();
  readonly #app: () => string;
  /** The longest from the first try of a request to its answer. */
  longestMs = 0;
  #open = 0;

  constructor(app: () => string) {
    this.#app = app;
  }

  get refusals(): Refusal[] {
    return [...this.#refusals.values()];
  }

  /** Posts until `over`; resolves when every request is answered, at the latest `patienceMs` later. */
  async run(lines: readonly Line[], perSecond: number, over: AbortSignal, patienceMs: number): Promise<void> {
    const free = lines.map((line) => ({ line, n: 0 }));
    const impatient = new AbortController();
    let due = 0;
    let last = performance.now();
    while (!over.aborted) {
      await pause(10, over);
      const now = performance.now();
      due = Math.min(due + ((now - last) / 1_000) * perSecond, perSecond * MOST_PER_TICK);
      last = now;
      for (; due >= 1 && free.length > 0; due--) {
        const turn = free.shift() as (typeof free)[number];
        turn.n++;
        void this.#insist(turn.line, turn.n, impatient.signal).then(() => free.push(turn));
      }
    }
    const end = performance.now() + patienceMs;
    while (this.#open > 0 && performance.now() < end) await Bun.sleep(20);
    impatient.abort();
  }

  async #insist(line: Line, n: number, impatient: AbortSignal): Promise<void> {
    const { request, posted } = line.next(n);
    const known = typeof posted === "function" ? undefined : posted;
    if (known !== undefined) this.posted.push(known);
    this.#open++;
    const since = performance.now();
    while (!impatient.aborted) {
      const askedAt = Date.now();
      const { answer, waitMs } = await this.#ask(request);
      if (waitMs === undefined) {
        const acceptedAt = Date.now();
        this.longestMs = Math.max(this.longestMs, performance.now() - since);
        if (known !== undefined) Object.assign(known, { acceptedAt, askedAt });
        else if (typeof posted === "function") this.posted.push({ ...posted(answer), acceptedAt, askedAt });
        break;
      }
      await pause(waitMs, impatient);
    }
    this.#open--;
  }

  /** Asks once. `waitMs` is absent when it was answered with 2xx. */
  async #ask({ method, path, body, headers }: Request): Promise<{ answer?: unknown; waitMs?: number }> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.#app() + path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ASK_WITHIN_MS),
      });
      text = await response.text();
    } catch {
      return { waitMs: AGAIN_MS }; // the app is away
    }
    if (response.ok) return { answer: JSON.parse(text) as unknown };
    const after = response.headers.get("retry-after");
    this.#note(response.status, after !== null, text);
    return { waitMs: after === null ? AGAIN_MS : Number(after) * 1_000 };
  }

  #note(status: number, retryAfter: boolean, text: string): void {
    const body = text.replace(/"traceId":"[^"]*"/, "").slice(0, 300);
    const kind = `${status} ${retryAfter} ${body}`;
    const known = this.#refusals.get(kind);
    if (known === undefined) this.#refusals.set(kind, { status, retryAfter, body, count: 1 });
    else known.count++;
  }
}
