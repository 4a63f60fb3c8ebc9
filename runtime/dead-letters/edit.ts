import type { DeadLetterChange, DeadLetterEdit, StoredDeadLetter } from "../ports/dead-letters.ts";
import { isOutboxRecord, isTimer } from "./replay.ts";

/** Edits of a dead letter that are remembered; older ones are forgotten, the original never. */
const MAX_EDITS = 20;

/**
 * A dead letter's record with other data: that of the event, or the input of the message.
 * @throws {TypeError} it holds neither.
 */
export function editedRecord(
  letter: StoredDeadLetter,
  change: (data: unknown, letter: StoredDeadLetter) => unknown,
  edit: DeadLetterEdit,
): Required<DeadLetterChange> {
  const record = JSON.parse(letter.record) as object;
  return {
    record: JSON.stringify(withData(record, letter, change)),
    original: letter.original ?? letter.record,
    edits: [...(letter.edits ?? []), edit].slice(-MAX_EDITS),
  };
}

function withData(
  record: object,
  letter: StoredDeadLetter,
  change: (data: unknown, letter: StoredDeadLetter) => unknown,
): object {
  if (isOutboxRecord(record)) {
    const body: unknown = JSON.parse(record.body);
    return { ...record, body: JSON.stringify(change(body, letter)) ?? "null" };
  }
  if (isTimer(record)) {
    const input: unknown = record.input === undefined ? undefined : JSON.parse(record.input);
    return { ...record, input: JSON.stringify(change(input, letter)) };
  }
  throw new TypeError(`Cannot edit the dead letter ${letter.id} as it is neither a timer nor a record of the outbox`);
}
