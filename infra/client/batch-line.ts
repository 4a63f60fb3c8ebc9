import { ask, type HttpDoor, httpLine } from "./http-line.ts";
import { type Line, type Outgoing, TryFailed } from "./line.ts";
import { failed, type ProblemText, unreachable } from "./problem.ts";
import { pieces } from "./server-events.ts";

/** Calls of one request, at most: as many as a door takes. */
const MAX_CALLS = 100;

interface Waiting {
  readonly outgoing: Outgoing;
  readonly signal: AbortSignal;
  resolve(reply: unknown): void;
  reject(failure: TryFailed): void;
}

/** What answers a call: a line of a batch, or a frame of a socket. */
export interface Answer {
  readonly id: number;
  readonly status: number;
  readonly body?: unknown;
  readonly problem?: ProblemText;
  readonly retryAfter?: number;
}

/** Calls that are made together, without waiting in between, go in one request; each has its answer as soon as it is there. */
export function batchLine(door: HttpDoor): Line {
  const single = httpLine(door);
  let together: Waiting[] = [];

  function flush(): void {
    const calls = together;
    together = [];
    for (let from = 0; from < calls.length; from += MAX_CALLS) {
      const some = calls.slice(from, from + MAX_CALLS);
      const [first] = some;
      if (some.length === 1 && first !== undefined) {
        single.call(first.outgoing, first.signal).then(first.resolve, first.reject);
      } else void send(door, some);
    }
  }

  return {
    ...single,
    call: (outgoing, signal) =>
      new Promise((resolve, reject) => {
        if (together.length === 0) queueMicrotask(flush);
        together.push({ outgoing, signal, resolve, reject });
        signal.addEventListener("abort", () => reject(new TryFailed(unreachable(signal.reason))), { once: true });
      }),
  };
}

async function send(door: HttpDoor, calls: readonly Waiting[]): Promise<void> {
  const left = new Map(calls.map((call, id) => [id, call]));
  const stop = new AbortController();
  // Nobody waits any more: the door is told.
  const given = (): void => void (calls.every(({ signal }) => signal.aborted) && stop.abort());
  for (const { signal } of calls) signal.addEventListener("abort", given, { once: true });
  let why = new TryFailed(unreachable(undefined));
  try {
    const headers = { ...(await door.authorization()), "content-type": "application/json" };
    const body = JSON.stringify(calls.map(({ outgoing }, id) => callFrame(id, outgoing)));
    const request = new Request(`${door.url}/batch`, { method: "POST", headers, body, signal: stop.signal });
    for await (const line of pieces(await ask(door, request), "\n", () => stop.abort())) {
      if (line === "") continue;
      const answer = JSON.parse(line) as Answer;
      const call = left.get(answer.id);
      left.delete(answer.id);
      if (call !== undefined) settle(call, answer);
    }
  } catch (error) {
    why = error instanceof TryFailed ? error : new TryFailed(unreachable(error));
  }
  for (const call of left.values()) call.reject(why);
}

/** A call as it is sent in a batch or a socket. */
export function callFrame(id: number, { to, message, input, id: key, leftMs }: Outgoing): object {
  return { id, call: [to.type, to.key, message], input, key, deadlineMs: Math.ceil(leftMs) };
}

/** Gives a call its answer. */
export function settle(call: Pick<Waiting, "resolve" | "reject">, answer: Answer): void {
  if (answer.status < 300) call.resolve(answer.body);
  else call.reject(failed(answer.status, answer.problem ?? {}, answer.retryAfter));
}
