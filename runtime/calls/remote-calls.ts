/**
 * The way of a call to the node that owns its actor.
 *
 * A call under way is given up only when the lease of that node has run out: a node that lives answers.
 */
import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { Clock } from "../base/clock.ts";
import type { Randomness } from "../base/randomness.ts";
import { TroupeError } from "../message/errors.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Transport, WireReply } from "../ports/transport.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { Cancellation } from "./cancellation.ts";
import { fromWireError } from "./wire.ts";

/** What remote calls need from their node. */
export interface RemoteCallsNode {
  readonly nodeId: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly transport: Transport | undefined;
  readonly spans: NodeSpans | undefined;
}

/** Where a call goes: who owns its actor, as far as is known here, and what the message is. */
export interface Destination {
  readonly ownership: Ownership;
  readonly owner: string | undefined;
  readonly definition: AnyMessageDefinition | undefined;
}

/** The node that had the message ended, or was lost, before it answered. */
export class OwnerGoneError extends TroupeError {}

export class RemoteCalls {
  readonly #node: RemoteCallsNode;

  constructor(node: RemoteCallsNode) {
    this.#node = node;
  }

  /**
   * Brings back the reply as JSON.
   * @throws {TroupeError} `unavailable` when it certainly was not handled, or may be asked again without harm;
   * `deadline_exceeded` when it may have been; what the actor answered.
   */
  async call(destination: Destination, envelope: Envelope, cancellation?: Cancellation): Promise<string | undefined> {
    const { owner } = destination;
    const address = `${envelope.type}/${envelope.key}`;
    if (owner === undefined || owner === this.#node.nodeId) {
      throw new TroupeError("unavailable", `Cannot reach ${address} as no node holds its partition right now`);
    }
    if (this.#node.transport === undefined) {
      throw new TroupeError(
        "unavailable",
        `Cannot reach ${address} as the node ${owner} holds it and this node has no transport`,
      );
    }
    const span = this.#node.spans?.call(envelope, owner);
    const traced = span === undefined ? envelope : { ...envelope, callSpan: span.traceparent };
    const call =
      cancellation === undefined ? traced : this.#cancellable(this.#node.transport, owner, traced, cancellation);
    try {
      const reply = await this.#callUnlessGone(this.#node.transport, { ...destination, owner }, call);
      if (reply.kind === "error") throw fromWireError(reply.error, envelope);
      span?.end();
      return reply.body;
    } catch (error) {
      span?.end(error);
      throw error;
    }
  }

  /** A call to another node that can be taken back there. */
  #cancellable(transport: Transport, owner: string, envelope: Envelope, cancellation: Cancellation): Envelope {
    const ticket = `call_${this.#node.randomness.uuid(this.#node.clock.now())}`;
    cancellation.heldBy(() => {
      const taken: Envelope = { ...envelope, input: undefined, id: undefined, origin: { kind: "cancel", ticket } };
      // Its caller has its answer. If word does not get there, the deadline does what it can.
      transport.call(owner, taken).catch(() => undefined);
    });
    return { ...envelope, ticket };
  }

  /** A node that died leaves its callers without an answer: they need not wait longer than its lease. */
  #callUnlessGone(
    transport: Transport,
    { ownership, owner, definition }: Destination & { readonly owner: string },
    envelope: Envelope,
  ): Promise<WireReply> {
    const { type, key, message, id } = envelope;
    return new Promise((resolve, reject) => {
      const unwatch = ownership.watch(owner, () => {
        // Handled or not, a query and a message with an id may be asked again (Router.N1); any other only by its caller.
        const harmless = id !== undefined || definition?.kind === "query" || envelope.origin.kind === "watch";
        const text = `Cannot get a reply to ${message} from ${type}/${key} as the node ${owner} went away`;
        reject(new OwnerGoneError(harmless ? "unavailable" : "deadline_exceeded", text));
      });
      transport.call(owner, envelope).then(
        (reply) => {
          unwatch();
          resolve(reply);
        },
        (error: unknown) => {
          unwatch();
          reject(error as Error);
        },
      );
    });
  }
}
