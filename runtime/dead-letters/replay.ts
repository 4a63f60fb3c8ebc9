import { controlEnvelope } from "../actor/control-messages.ts";
import { textHash } from "../base/hash.ts";
import { MAX_ID_LENGTH } from "../base/limits.ts";
import { parseAddress } from "../message/address.ts";
import type { Envelope, Origin } from "../ports/envelope.ts";
import type { PublishResult } from "../ports/sink.ts";
import type { OutboxRecord, StoredDeadLetter, TimerRow } from "../ports/store.ts";

type Route = (envelope: Envelope) => Promise<string | undefined>;

/**
 * Gives what became a dead letter back to where it was going: a timer or send to its actor, an event or workflow request
 * to its sink. The message id is that of the first try, so that it takes effect once.
 *
 * @throws whatever hinders it this time; the dead letter stays then.
 */
export async function replayLetter(letter: StoredDeadLetter, route: Route): Promise<void> {
  const record = JSON.parse(letter.record) as object;
  if (isOutboxRecord(record)) {
    if (record.kind === "send") await route(sendEnvelope(record));
    else await publish(letter.target, record, route);
    return;
  }
  if (isTimer(record)) {
    await route(timerEnvelope(letter.id, record));
    return;
  }
  throw new TypeError(`Cannot replay the dead letter ${letter.id} as it is neither a timer nor a record of the outbox`);
}

function sendEnvelope(record: OutboxRecord): Envelope {
  const origin: Origin = { kind: "replay", dueAt: undefined };
  return {
    ...replayEnvelope(parseAddress(record.target), record.name, record.body, origin),
    id: record.id,
    traceparent: record.traceparent,
  };
}

function timerEnvelope(id: string, timer: TimerRow): Envelope {
  return {
    ...replayEnvelope(timer, timer.message, timer.input, { kind: "replay", dueAt: timer.dueAt }),
    id: id.length <= MAX_ID_LENGTH ? id : `timer#${textHash(id)}`,
  };
}

function replayEnvelope(
  { type, key }: { readonly type: string; readonly key: string },
  message: string,
  input: string | undefined,
  origin: Origin,
): Envelope {
  return {
    type,
    key,
    message,
    input: input === undefined ? undefined : JSON.parse(input),
    id: undefined,
    origin,
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs: 30_000,
  };
}

/** By the owner of the actor that emitted it: there it keeps its place among what goes to the same target. */
async function publish(sink: string, record: OutboxRecord, route: Route): Promise<void> {
  const body = await route(controlEnvelope(record.actor, "$publish", { sink, record }));
  const result = JSON.parse(body ?? "{}") as PublishResult;
  if (result.kind === "refused") throw new Error(result.detail);
}

/** Whether a dead letter's record came from the outbox. */
export function isOutboxRecord(record: object): record is OutboxRecord {
  return "seq" in record && "kind" in record && "actor" in record;
}

/** Whether a dead letter's record is a timer. */
export function isTimer(record: object): record is TimerRow {
  return "dueAt" in record && "message" in record;
}
