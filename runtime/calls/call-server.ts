import type { Clock } from "../base/clock.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { WireReply } from "../ports/transport.ts";
import type { ActorRegistry } from "./actor-registry.ts";
import { Cancellation } from "./cancellation.ts";
import { answerNode, NODE_TYPE, type NodeAnswers } from "./node-messages.ts";
import { mayRetry, type Router } from "./router.ts";
import { toWireError } from "./wire.ts";

/** Answers the calls of other nodes. */
export class CallServer {
  readonly #router: Router;
  readonly #types: ActorRegistry;
  readonly #clock: Clock;
  readonly #answers: NodeAnswers;
  /** Calls being served that may be taken back, by ticket. */
  readonly #tickets = new Map<string, Cancellation>();

  constructor(router: Router, types: ActorRegistry, clock: Clock, answers: NodeAnswers) {
    this.#router = router;
    this.#types = types;
    this.#clock = clock;
    this.#answers = answers;
  }

  /** A call from another node. It is answered here or refused: it never travels on. */
  async serve(envelope: Envelope): Promise<WireReply> {
    if (envelope.origin.kind === "cancel") {
      this.#tickets.get(envelope.origin.ticket)?.cancel();
      return { kind: "reply", body: undefined };
    }
    const { ticket } = envelope;
    if (ticket === undefined) return this.#answer(envelope);
    const cancellation = new Cancellation();
    this.#tickets.set(ticket, cancellation);
    const reply = await this.#answer(envelope, cancellation);
    this.#tickets.delete(ticket);
    return reply;
  }

  /** Never rejects. */
  async #answer(envelope: Envelope, cancellation?: Cancellation): Promise<WireReply> {
    try {
      if (envelope.type === NODE_TYPE) return { kind: "reply", body: await answerNode(envelope, this.#answers) };
      const { workers } = this.#router;
      if (workers?.has(envelope.type) === true && envelope.origin.kind === "call")
        return { kind: "reply", body: await this.#router.workFor(workers, envelope, cancellation) };
      const host = this.#router.check(envelope);
      const held = host.partitions.partition(host.partitions.of(envelope.type, envelope.key)) !== undefined;
      if (!held || !host.partitions.holdsLease()) {
        throw new TroupeError(
          "unavailable",
          `Cannot reach ${envelope.type}/${envelope.key} as its partition has moved`,
        );
      }
      const deadline = this.#clock.monotonic() + envelope.timeoutMs;
      return { kind: "reply", body: await this.#router.local(host, envelope, deadline, cancellation) };
    } catch (error) {
      // The sender looks for the next owner when it hears of it: it should find one.
      const host = this.#types.findHost(envelope.type);
      if (host !== undefined && mayRetry(error)) {
        const partition = host.partitions.of(envelope.type, envelope.key);
        await this.#router.arrival(host, partition, this.#clock.monotonic() + envelope.timeoutMs);
      }
      return { kind: "error", error: toWireError(error) };
    }
  }
}
