/** What all sockets of this process have in common, whatever is said on them: the answer to who asks for one, and their end with a key. */
import type { Principal } from "#infra/http/principal.ts";
import { problemResponse } from "#infra/http/problem.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { traceOf } from "#infra/http/trace.ts";
import type { Log } from "#runtime";
import { CLOSE } from "./session.ts";

/** A socket that ends with its key. */
export interface KeyedSocket {
  /** Whose key it has; `undefined`: nobody had to say. */
  readonly principal?: Principal | undefined;
  end(code: number, reason: string): void;
}

/** What is answered to a request that `open` makes a socket of: nothing where it did, else what was thrown, as a problem. */
export async function upgraded(request: Request, log: Log, open: () => Promise<void>): Promise<Response | undefined> {
  try {
    await open();
    return undefined;
  } catch (error) {
    const problem = toProblem(error);
    const { traceId } = traceOf(request);
    if (problem.status === 500) log("error", "socket:refused", { traceId, error: String(error) });
    return problemResponse(problem, traceId);
  }
}

/** Ends those whose key is no longer `good`, with 1008; where that cannot be told (`undefined`), every one with a key, with 1013. */
export function endWithoutKey(sockets: Iterable<KeyedSocket>, good: ((who: Principal) => boolean) | undefined): void {
  for (const socket of sockets) {
    const { principal } = socket;
    if (principal === undefined) continue;
    if (good === undefined) socket.end(CLOSE.keysUnknown, "Keys cannot be checked now");
    else if (!good(principal)) socket.end(CLOSE.keyEnded, "The key is no longer good");
  }
}
