/**
 * Makes commands of the events that one actor type subscribes to.
 *
 * Owns: the order per key, tries and their pauses, dead letters. Does not own: the broker (a `Source` hands messages over
 * and acknowledges them), the turn.
 * Calls in: `handle`, `stop`. Calls out: the host's `route`, `pause`, `recordDeadLetter`.
 *
 * U1 events of a key run one after the other, in the order they were handed over; keys run side by side, and one that
 *    fails holds up nobody else.
 * U2 `taken` is said after the commit of the turn, or after the dead letter is durable; never before.
 * U3 the event's source and id are the message id: an event that comes again finds the stored reply (G5). One that comes again
 *    while it is under way joins itself, so that reconnects do not pile up copies.
 * U4 what may succeed later is tried for ever; a turn that fails counts towards `poison.after`; a refusal, or an input that
 *    does not fit, is poison at once.
 * U5 an event of a type that only some may send is passed over when it comes from somebody else: it is forged, or somebody
 *    else's of the same name.
 */
import type { AnyActorType } from "../actor/any-actor.ts";
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { textHash } from "../base/hash.ts";
import type { Log } from "../base/log.ts";
import type { Randomness } from "../base/randomness.ts";
import { deadLetter } from "../dead-letters/letter.ts";
import { isPoison, poisonDetail } from "../dead-letters/poison.ts";
import { type CloudEvent, eventMessageId, parseCloudEvent } from "../message/cloud-event.ts";
import { PausedError, TroupeError } from "../message/errors.ts";
import { isName } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Handled, SourceMessage } from "../ports/source.ts";
import type { ActorId, DeadLetter, OutboxRecord } from "../ports/store.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";

/** What a subscriber needs from its node. */
export interface SubscriberHost {
  readonly clock: Clock;
  readonly log: Log;
  readonly randomness: Randomness;
  readonly spans?: NodeSpans | undefined;
  route(envelope: Envelope): Promise<string | undefined>;
  /** Pauses an actor, wherever it lives. */
  pause(actor: ActorId, reason: string): Promise<void>;
  /** Keeps a dead letter durably, in the store of the actor type. */
  recordDeadLetter(letter: DeadLetter): Promise<void>;
}

/** An event as the command it becomes, in the form that a dead letter of it is replayed from. */
type Send = OutboxRecord & { readonly kind: "send" };

/** Events under way at a time, at most. */
export const MAX_IN_FLIGHT = 256;

const MAX_KEPT_BODY = 65_536;
const TAKEN = Promise.resolve<Handled>("taken");
const LATER = Promise.resolve<Handled>("later");

export class Subscriber {
  readonly #type: AnyActorType;
  readonly #source: string;
  readonly #host: SubscriberHost;
  /** The last event of each key that has some (Subscriber.U1). */
  readonly #lanes = new Map<string, Promise<Handled>>();
  /** Events under way, by emitter and id (Subscriber.U3). */
  readonly #underWay = new Map<string, Promise<Handled>>();
  readonly #wakes = new Set<() => void>();
  readonly #failing = new Map<string, string>();
  #begun = 0;
  #stopped = false;

  constructor(type: AnyActorType, source: string, host: SubscriberHost) {
    this.#type = type;
    this.#source = source;
    this.#host = host;
  }

  get inFlight(): number {
    return this.#underWay.size;
  }

  /** What hinders some event right now. */
  get failing(): string | undefined {
    return this.#failing.values().next().value;
  }

  /** Takes a message from the source. Never rejects. */
  handle({ body }: SourceMessage): Promise<Handled> {
    if (this.#stopped) return LATER;
    let event: CloudEvent;
    try {
      event = parseCloudEvent(body);
    } catch (error) {
      return this.#set(`body ${textHash(body)}`, () => this.#recordDeadLetter(this.#unreadable(body, error)));
    }
    const id = eventMessageId(event);
    const before = this.#underWay.get(id);
    if (before !== undefined) return before; // Subscriber.U3
    const subscriptions = this.#type.options.subscribe ?? {};
    const subscription = Object.hasOwn(subscriptions, event.type) ? subscriptions[event.type] : undefined;
    if (subscription === undefined) return TAKEN;
    if (!isFrom(event, subscription.from)) {
      // Subscriber.U5
      this.#host.log("warn", "subscription:foreign", {
        actor: this.#type.type,
        source: this.#source,
        type: event.type,
        from: event.source,
      });
      return TAKEN;
    }
    let record: Send | undefined;
    try {
      const key = subscription.to(event);
      if (key === undefined) return TAKEN;
      if (!isName(key)) throw new TypeError(`Cannot send ${event.type} to ${this.#type.type} as its key is no key`);
      record = this.#sendOf(event, key, subscription.send, subscription.with?.(event) ?? event.data);
    } catch (error) {
      return this.#set(id, () => this.#recordDeadLetter(this.#unreadable(body, error)));
    }
    return this.#enqueue(id, record);
  }

  /** Ends all pauses: what has not begun its turn is left to come again. */
  stop(): void {
    this.#stopped = true;
    for (const wake of this.#wakes) wake();
  }

  #enqueue(id: string, record: Send): Promise<Handled> {
    const lane = record.target;
    const before = this.#lanes.get(lane) ?? TAKEN;
    const handled = this.#set(id, async () => {
      await before; // Subscriber.U1
      return this.#deliver(record);
    });
    this.#lanes.set(lane, handled);
    void handled.then(() => {
      if (this.#lanes.get(lane) === handled) this.#lanes.delete(lane);
    });
    return handled;
  }

  #set(id: string, work: () => Promise<Handled>): Promise<Handled> {
    const handled = work().finally(() => this.#underWay.delete(id));
    this.#underWay.set(id, handled);
    return handled;
  }

  async #deliver(record: Send): Promise<Handled> {
    const { after = 5, then } = this.#type.options.poison ?? {};
    const actor: ActorId = { type: this.#type.type, key: record.target.slice(this.#type.type.length + 1) };
    // What a consumer is given first, its predecessor may have had in hand, whatever time the event bears.
    const since = this.#begun++ < MAX_IN_FLIGHT ? 0 : Math.min(record.at, this.#host.clock.now());
    let failures = 0;
    try {
      for (let attempt = 1; !this.#stopped; attempt++) {
        const span = this.#host.spans?.process(this.#source, this.#type.type, record.actor.type, record);
        try {
          await this.#host.route(envelopeOf(record, since, actor, failures + 1, span?.traceparent));
          span?.end();
          return "taken"; // Subscriber.U2
        } catch (error) {
          span?.end(error);
          const failed = isPoison(error);
          if (failed && ++failures >= after) {
            if (then !== "pause") return await this.#recordDeadLetter(this.#letter(record, error, failures));
            await this.#host
              .pause(actor, poisonDetail(`the event ${record.id}`, failures, error))
              .catch(() => undefined);
          } else if (!failed && error instanceof TroupeError && !error.retryable) {
            return await this.#recordDeadLetter(this.#letter(record, error, failures + 1)); // Subscriber.U4
          }
          if (error instanceof PausedError) failures = 0;
          this.#failing.set(record.id, `${record.target}: ${textOf(error)}`);
          await this.#pause(backoffMs(attempt, this.#host.randomness, 50, 5_000));
        }
      }
      return "later";
    } finally {
      this.#failing.delete(record.id);
    }
  }

  /** Tries until the dead letter is durable (Subscriber.U2), or the subscriber is stopped. */
  async #recordDeadLetter(letter: DeadLetter): Promise<Handled> {
    for (let attempt = 1; !this.#stopped; attempt++) {
      try {
        await this.#host.recordDeadLetter(letter);
        this.#host.log("warn", "subscription:poison", {
          actor: letter.type,
          source: this.#source,
          letter: letter.id,
          attempts: letter.attempts,
        });
        return "taken";
      } catch (error) {
        this.#failing.set(letter.id, `keeping a dead letter: ${textOf(error)}`);
        await this.#pause(backoffMs(attempt, this.#host.randomness));
      } finally {
        this.#failing.delete(letter.id);
      }
    }
    return "later";
  }

  #sendOf(event: CloudEvent, key: string, message: string, input: unknown): Send {
    const at = Date.parse(event.time ?? "");
    return {
      partition: 0,
      seq: 0,
      kind: "send",
      id: eventMessageId(event),
      name: message,
      actor: { type: event.type, key: event.source },
      target: `${this.#type.type}/${key}`,
      body: JSON.stringify(input) ?? "null",
      at: Number.isNaN(at) ? this.#host.clock.now() : at,
      traceparent: event.traceparent,
    };
  }

  #letter(record: Send, error: unknown, attempts: number): DeadLetter {
    const name = `subscription:${this.#type.type}`;
    return deadLetter(name, record, textOf(error), attempts, this.#host.clock.now());
  }

  /** Of a message that names no actor. It can be looked at and dropped; there is nobody to replay it to. */
  #unreadable(body: string, error: unknown): DeadLetter {
    return {
      id: `subscription:${this.#type.type}:${textHash(body)}`,
      reason: "poison",
      detail: textOf(error),
      target: this.#source,
      attempts: 1,
      record: JSON.stringify({ body: body.slice(0, MAX_KEPT_BODY) }),
      at: this.#host.clock.now(),
      type: this.#type.type,
    };
  }

  /** A pause that `stop` cuts short. */
  #pause(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wakes.delete(wake);
        resolve();
      };
      const cancel = this.#host.clock.after(ms, wake);
      this.#wakes.add(wake);
    });
  }
}

function envelopeOf(
  record: Send,
  since: number,
  actor: ActorId,
  attempt: number,
  traceparent = record.traceparent,
): Envelope {
  return {
    ...actor,
    message: record.name,
    input: JSON.parse(record.body) as unknown,
    id: record.id, // Subscriber.U3
    origin: { kind: "send" },
    attempt,
    traceparent,
    callers: [],
    timeoutMs: 30_000,
    since,
  };
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\u0000", "");
}

/** Whether an event comes from an actor of one of these types: its source is the address of the actor it is about. */
function isFrom({ source, subject }: CloudEvent, from: string | readonly string[] | undefined): boolean {
  return from === undefined || [from].flat().some((type) => source === `/${type}/${subject ?? ""}`);
}
