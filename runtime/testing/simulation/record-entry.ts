import type { OutboxRecord } from "../../ports/store.ts";
import type { RecordEntry } from "./history.ts";

/** An outbox record as the history keeps it. */
export function recordEntry({ partition, seq, kind, id, name, actor, target, body }: OutboxRecord): RecordEntry {
  return { partition, seq, kind, id, name, actor: `${actor.type}/${actor.key}`, target, body };
}
