/**
 * Inbox: where events from outside become durable.
 *
 * Owns: taking an event once, if it fits its schema, and what leaves for each place its routes name, in one commit. Does not
 * own: signatures and the form of requests (the ingress), schemas and routes (each node keeps them at hand).
 *
 * X1 An inbox holds no state: what makes a repeat a repeat is the stored reply to the event's id.
 * X2 All events of a subject meet in one inbox, so they leave in the order they were accepted in, per destination.
 * X3 An event that no route matches goes where the settings say; where they say nothing, it is kept in the outbox all the same.
 */
import * as v from "valibot";
import type { Destination, NamedRoute } from "#actors/gateway/route/messages.ts";
import type { Misfit } from "#infra/schemas/misfit.ts";
import { actor, newId, type TurnContext } from "#runtime";
import { deliverWebhookStart } from "#workflows/deliver-webhook/messages.ts";
import { carried, dataOf } from "./exact-data.ts";
import { type Target, targetsOf } from "./match.ts";
import { AcceptEvent, EventAccepted, type GatewayEvent, INBOX_COUNT, type OutgoingEvent } from "./messages.ts";

/** Every place where the event does not fit the schema of its type. `undefined`: it does, or there is none. */
export type Verdict = readonly Misfit[] | "unavailable" | undefined;

/** What an inbox asks its own node. */
export interface InboxPorts {
  /** The routes in force. A promise until they were read once. */
  routes(): readonly NamedRoute[] | Promise<readonly NamedRoute[]>;
  /** What is known of the event's schema, at once where it is at hand. */
  check(event: GatewayEvent): Verdict | Promise<Verdict>;
  /** Where an event goes that no route matches. Default: nowhere. */
  unrouted?(): readonly Destination[];
  /** The pauses between the tries to deliver to an endpoint, in milliseconds. Asked for at each delivery. */
  readonly retriesMs: readonly number[];
}

const State = v.strictObject({});
type State = v.InferOutput<typeof State>;

/** Makes the inbox actor. */
export function createInbox(ports: InboxPorts) {
  return actor("inbox", {
    key: v.pipe(v.string(), v.regex(/^[0-9]{1,4}$/)),
    state: State,
    initial: (): State => ({}),
    mailbox: { max: 5_000 },
    messages: ({ command }) => ({
      /**
       * Takes an event and sends it where the routes say. Refused with `schema_violation` (and `misfits`, every place) when its data
       * does not fit the schema of its type, and with `schema_unavailable` while that cannot be told.
       */
      accept: command({ in: AcceptEvent, out: EventAccepted }, (c, { event }) => {
        const verdict = ports.check(event);
        const routes = ports.routes();
        // Nearly always both are at hand. Then the turn ends at once, and those behind it do not wait for promises.
        return verdict instanceof Promise || routes instanceof Promise
          ? Promise.all([verdict, routes]).then((known) => take(c, event, ...known))
          : take(c, event, verdict, routes);
      }),
    }),
  });

  function take(
    c: TurnContext<State, Record<never, never>>,
    event: GatewayEvent,
    verdict: Verdict,
    routes: readonly NamedRoute[],
  ): EventAccepted {
    // The schema may be another one when the event comes again.
    if (verdict === "unavailable") return c.refuse("schema_unavailable", {}, { again: true });
    if (verdict !== undefined) return c.refuse("schema_violation", { misfits: verdict }, { again: true });
    const out = outgoing(event, c.now, c.traceparent);
    const matching = targetsOf(out, routes);
    const targets: readonly Target[] = matching.length > 0 ? matching : (ports.unrouted?.() ?? []);
    if (targets.length === 0) c.publish({ type: event.type, target: orderOf(event), data: { to: null, event: out } }); // Inbox.X3
    for (const to of targets) leave(c, to, out, orderOf(event));
    return { id: event.id, traceparent: c.traceparent ?? null, destinations: targets.length };
  }

  function leave(c: TurnContext<State, Record<never, never>>, to: Target, event: OutgoingEvent, key: string): void {
    if ("endpoint" in to) {
      const deliveryId = newId("dlv");
      const { retriesMs } = ports;
      const { data, ...attributes } = event;
      const sent = Object.hasOwn(event, "data") ? { ...attributes, ...carried(data) } : attributes;
      c.workflow.start(
        deliverWebhookStart({ deliveryId, webhookId: deliveryId, endpointId: to.endpoint, event: sent, retriesMs }),
      );
      return;
    }
    const { sink, ...address } = to;
    c.publish({
      type: event.type,
      target: `${sink}:${Object.values(address).join(" ")}:${key}`,
      data: { to, key, event },
    }); // Inbox.X2
  }
}

/** The inbox actor as a name for `troupe.ref`; the one that runs is made with its node's ports. */
export const Inbox = createInbox({ routes: () => [], check: () => undefined, retriesMs: [] });

/** The inbox of an event: by its subject, else by its id. */
export function inboxOf(event: {
  readonly id: string;
  readonly source: string;
  readonly subject?: string | undefined;
}): string {
  const { source, subject, id } = event;
  return String(Number(Bun.hash(subject === undefined ? `${source} ${id}` : subject) % BigInt(INBOX_COUNT)));
}

/** The message id an event is taken once by: an id is unique per source, as the specification has it. */
export function messageIdOf({ source, id }: Pick<GatewayEvent, "source" | "id">): string {
  const plain = `event/${source} ${id}`;
  // A source with a space could end where another one's id begins.
  return /^[\x20-\x7e]{1,200}$/.test(plain) && !source.includes(" ")
    ? plain
    : `event#${new Bun.CryptoHasher("sha256").update(JSON.stringify([source, id])).digest("hex")}`;
}

function orderOf({ subject, id }: GatewayEvent): string {
  return subject ?? id;
}

function outgoing(event: GatewayEvent, now: number, traceparent: string | undefined): OutgoingEvent {
  const { extensions, data, data_json, data_base64, datacontenttype, time, ...attributes } = event;
  return {
    specversion: "1.0",
    ...attributes,
    time: time ?? new Date(now).toISOString(),
    ...(data_base64 === undefined ? { datacontenttype: "application/json" } : {}),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...extensions,
    ...(data_base64 === undefined ? { data: dataOf({ data, data_json }) ?? null } : { data_base64 }),
  };
}
