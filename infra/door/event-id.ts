import { doorProblem } from "./failure.ts";

/** How far a watcher has come: the last state it was shown, and its place in the broadcasts. */
export interface Place {
  /** Version and hash of the state, as in `7-1k2x9`; empty before the first. */
  readonly state: string;
  /** The position of the topic subscription; empty without one. */
  readonly topics: string;
}

const EVENT_ID = /^(\d{1,16}-[0-9a-z]{1,16})?(?:~([\x21-\x7e]{1,300}))?$/u;

/** The `id:` of a server-sent event: after it a client comes back here with `Last-Event-ID`. */
export function eventId({ state, topics }: Place): string {
  return topics === "" ? state : `${state}~${topics}`;
}

/**
 * Where a watcher goes on from; `undefined`: from now.
 * @throws {Problem} 400 `event_id.malformed`: this door never gave such an id.
 */
export function placeOf(lastEventId: string | undefined): Place | undefined {
  if (lastEventId === undefined || lastEventId === "") return undefined;
  const match = EVENT_ID.exec(lastEventId);
  if (match !== null) return { state: match[1] ?? "", topics: match[2] ?? "" };
  throw doorProblem("event_id.malformed", "Last-Event-ID is no id of this door: leave it out to begin anew");
}
