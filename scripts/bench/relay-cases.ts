import type { BrokerName } from "./broker-sinks.ts";

/** Events that wait when the sink is released, and, where more do, how many of them are drained. */
export const BACKLOG = 60_000;
/** Events a second of the even rate. */
export const RATE = 1_000;

/** The relay in an empty store, as what it is compared with in others. */
export const EMPTY_STORE = "relay, empty store";

/** How a backlog that is drained is called. */
export function relayCase(broker: BrokerName, surroundings?: string): string {
  return `${broker}, backlog of ${BACKLOG.toLocaleString("en-US")}${surroundings === undefined ? "" : `, ${surroundings}`}`;
}
