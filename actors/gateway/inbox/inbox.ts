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
import { AcceptEvent, EventAccepted, type GatewayEvent, INBOX_BITS, type OutgoingEvent } from "./messages.ts";

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
    c.publish({ type: event.type, target: `${placeOf(to)}:${key}`, data: { to, key, event } }); // Inbox.X2
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
  return String(Number(BigInt.asUintN(INBOX_BITS, Bun.hash(subject === undefined ? `${source} ${id}` : subject))));
}

/** The message id an event is taken once by: an id is unique per source, as the specification has it. */
export function messageIdOf({ source, id }: Pick<GatewayEvent, "source" | "id">): string {
  const plain = `event/${source} ${id}`;
  // A source with a space could end where another one's id begins.
  return /^[\x20-\x7e]{1,200}$/.test(plain) && !source.includes(" ")
    ? plain
    : `event#${new Bun.CryptoHasher("sha256").update(JSON.stringify([source, id])).digest("hex")}`;
}

/** The places of routes as texts. Routes stay the same over many events. */
const places = new WeakMap<Destination, string>();

function placeOf(to: Destination): string {
  let place = places.get(to);
  if (place === undefined) {
    const { sink, ...address } = to;
    places.set(to, (place = `${sink}:${Object.values(address).join(" ")}`));
  }
  return place;
}

function orderOf({ subject, id }: GatewayEvent): string {
  return subject ?? id;
}

function outgoing(event: GatewayEvent, now: number, traceparent: string | undefined): OutgoingEvent {
  const { id, source, type, subject, dataschema, data_base64, datacontenttype } = event;
  // One by one: to spread what is there or not would make an object for each.
  const out: Record<string, unknown> & { id: string; source: string; type: string } = {
    specversion: "1.0",
    id,
    source,
    type,
  };
  if (subject !== undefined) out["subject"] = subject;
  if (dataschema !== undefined) out["dataschema"] = dataschema;
  out["time"] = event.time ?? new Date(now).toISOString();
  if (datacontenttype !== undefined) out["datacontenttype"] = datacontenttype;
  else if (data_base64 === undefined) out["datacontenttype"] = "application/json";
  if (traceparent !== undefined) out["traceparent"] = traceparent;
  Object.assign(out, event.extensions);
  if (data_base64 === undefined) out["data"] = dataOf(event) ?? null;
  else out["data_base64"] = data_base64;
  return out;
}
