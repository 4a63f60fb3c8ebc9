import { dataOf } from "#actors/gateway/inbox/exact-data.ts";
import { Inbox, inboxOf, messageIdOf, type Verdict } from "#actors/gateway/inbox/inbox.ts";
import { AcceptEvent, type GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { Problem } from "#infra/http/problem.ts";
import type { Misfit } from "#infra/schemas/misfit.ts";
import { checkedInput, type DeadLetter, type OutboxRecord, RefusedError, type Troupe, TroupeError } from "#runtime";
import type { Directory, UsableSchema } from "./directory.ts";

/** What became of an event that was taken. */
export interface Taken {
  readonly id: string;
  /** `duplicate`: it had been accepted before, with the same content. */
  readonly status: "accepted" | "duplicate";
}

/** What makes a repeat of an event a repeat. */
export interface Once {
  /** The message id of the accept. */
  readonly id: string;
  /** The inbox it is looked for in. */
  readonly inbox: string;
  /** Whether a repeat may say something else: in what its sender did not sign. It is a repeat all the same. */
  readonly mayDiffer: boolean;
}

function onceOf(event: GatewayEvent): Once {
  return { id: messageIdOf(event), inbox: inboxOf(event), mayDiffer: false };
}

/** Checks an event against the schema of its type, as far as this node knows it. */
export function misfitOf(directory: Directory, event: GatewayEvent): Verdict | Promise<Verdict> {
  const schema = directory.schema(event.type);
  return schema instanceof Promise ? schema.then((known) => misfitIn(known, event)) : misfitIn(schema, event);
}

function misfitIn(schema: UsableSchema, event: GatewayEvent): Verdict | Promise<Verdict> {
  if (schema === undefined) return undefined;
  if (schema === "unknown") return "unavailable";
  if (event.data_base64 !== undefined)
    return [
      {
        path: "/data_base64",
        message: "must be JSON data, as this type has a schema",
        expected: "data",
        received: "data_base64",
      },
    ];
  const misfits = schema.check(dataOf(event) ?? null);
  return misfits instanceof Promise ? misfits.then(inData) : inData(misfits);
}

function inData(misfits: readonly Misfit[]): readonly Misfit[] | undefined {
  return misfits.length === 0 ? undefined : misfits.map((misfit) => ({ ...misfit, path: `/data${misfit.path}` }));
}

/**
 * Takes an event: it fits its schema, and is durable in an inbox. One actor turn.
 * @param traceparent of a span that no other event has: by it a first acceptance is told from a repeat, whose answer carries
 * another's.
 * @param once what it is taken once by. Default: its source and id.
 * @throws {Problem} 422 `event.schema_violation` (and a dead letter), `event.id_reused`: the id came with other content.
 */
export async function takeEvent(
  troupe: Troupe,
  event: GatewayEvent,
  traceparent: string,
  once: Once = onceOf(event),
): Promise<Taken> {
  try {
    // Whatever reads events gives none that does not fit.
    const input = checkedInput(AcceptEvent, { event });
    const accepted = await troupe.ref(Inbox, once.inbox).accept(input, { id: once.id, traceparent });
    return { id: event.id, status: accepted.traceparent === traceparent ? "accepted" : "duplicate" };
  } catch (error) {
    if (error instanceof RefusedError && error.reason === "schema_violation") {
      const misfits = error.data["misfits"] as readonly Misfit[];
      await troupe.deadLetters.record(
        "inbox",
        schemaLetter(event, once, misfits, troupe.partitionOf("inbox", once.inbox)),
      );
      throw new Problem(
        422,
        "event.schema_violation",
        `The data does not fit the schema of ${event.type}: see errors`,
        { issues: misfits },
      );
    }
    if (error instanceof RefusedError && error.reason === "schema_unavailable")
      throw new Problem(503, "unavailable", "The schema of this type cannot be used right now: try again", {
        retryAfter: 1,
      });
    if (!(error instanceof TroupeError) || error.code !== "message_id_reused") throw error;
    if (once.mayDiffer) return { id: event.id, status: "duplicate" };
    throw new Problem(422, "event.id_reused", "This id came before with other content: a new event needs a new id");
  }
}

/** Characters of what is said about a dead letter. */
const MAX_DETAIL = 500;

/** The dead letter of an event that its schema refused. Its replay checks the event anew, by the schema of that time. */
function schemaLetter(
  event: GatewayEvent,
  { id, inbox: key }: Once,
  misfits: readonly Misfit[],
  partition: number,
): DeadLetter {
  const record: OutboxRecord = {
    partition,
    seq: 0,
    kind: "send",
    id,
    name: "accept",
    actor: { type: "inbox", key },
    target: `inbox/${key}`,
    body: JSON.stringify({ event }),
    at: Date.now(),
    traceparent: undefined,
  };
  return {
    id: `schema:${new Bun.CryptoHasher("sha256")
      .update(`${id} ${JSON.stringify(event)}`)
      .digest("hex")
      .slice(0, 32)}`,
    reason: "schema",
    detail: misfits
      .map(({ path, message }) => `${path} ${message}`)
      .join("; ")
      .slice(0, MAX_DETAIL),
    target: `inbox/${key}`,
    attempts: 1,
    record: JSON.stringify(record),
    at: record.at,
    type: event.type,
    key: `schema:${event.subject ?? event.id}`,
  };
}
