/**
 * What nodes say to each other beside calls to actors, as envelopes to an actor type that no actor can have.
 *
 * `take` (key: the store): these partitions were released for you. `report`: what have you got in memory? `subscriptions`: what
 * do you consume? `waits`: do the turns of these actors of yours wait for one of those? `ask` (key: what): what the application
 * answers itself.
 */

import type { ReportedActors } from "../activation/activation-directory.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { NodeId } from "../ports/store.ts";
import type { Transport } from "../ports/transport.ts";
import { fromWireError } from "./wire.ts";

export const NODE_TYPE = "$node";

/** The way to the other nodes. */
export interface NodeLink {
  readonly transport: Transport;
  readonly clock: Clock;
}

/**
 * @throws {TroupeError} `deadline_exceeded` without an answer within `timeoutMs`; or what the other node, or the way
 * there, failed with.
 */
export async function askNode(
  { transport, clock }: NodeLink,
  node: NodeId,
  message: "take" | "report" | "subscriptions" | "waits" | "ask",
  { store = "", input, timeoutMs }: { readonly store?: string; readonly input?: unknown; readonly timeoutMs: number },
): Promise<unknown> {
  const envelope: Envelope = {
    type: NODE_TYPE,
    key: store,
    message,
    input,
    id: undefined,
    origin: { kind: "call" },
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs,
  };
  const reply = await withDeadline(clock, timeoutMs, (late) => Promise.race([transport.call(node, envelope), late]));
  if (reply === undefined)
    throw new TroupeError("deadline_exceeded", `Cannot get an answer of the node ${node} within ${timeoutMs} ms`);
  if (reply.kind === "error") throw fromWireError(reply.error, envelope);
  return reply.body === undefined ? undefined : JSON.parse(reply.body);
}

/** A part of the way, as a node is asked for the rest of it. */
export interface WayAhead {
  /** Actors of one node, with the way to each. */
  readonly from: readonly (readonly string[])[];
  /** Where it would lead to for a ring. */
  readonly callers: readonly string[];
}

/** What a node needs to answer. */
export interface NodeAnswers {
  take(store: string, partitions: readonly number[]): Promise<void>;
  report(): readonly ReportedActors[];
  subscriptions(): readonly SubscriptionStatus[];
  waits(ahead: WayAhead): Promise<readonly string[] | undefined>;
  /** @throws {TypeError} nobody here answers that. */
  ask(what: string, input: unknown): Promise<unknown>;
}

/** Answers a message to this node. @throws {TypeError} for one it does not know: a newer node sent it. */
export async function answerNode({ message, key, input }: Envelope, answers: NodeAnswers): Promise<string | undefined> {
  if (message === "report") return JSON.stringify(answers.report());
  if (message === "subscriptions") return JSON.stringify(answers.subscriptions());
  if (message === "waits") return JSON.stringify(await answers.waits(input as WayAhead));
  if (message === "ask") return JSON.stringify(await answers.ask(key, input));
  if (message !== "take") throw new TypeError(`Cannot answer "${message}" as this node does not know it`);
  await answers.take(key, input as readonly number[]);
  return undefined;
}
