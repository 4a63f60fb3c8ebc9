import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { type DeliveryTurn, MAX_RESPONSE_SHOWN } from "#actors/gateway/endpoint/messages.ts";
import { parseExact } from "#infra/json/exact.ts";
import { openWhatOpens, plainBox, type SecretBox } from "#infra/secrets/secret-box.ts";
import { type DeliveryOutcome, deliver } from "#infra/webhooks/deliver.ts";
import { signWebhook } from "#infra/webhooks/sign.ts";
import { parseSigningKey } from "#infra/webhooks/signing-key.ts";
import type { OutboxRecord, Troupe } from "#runtime";
import { toApplicationFailure } from "../actor-calls.ts";
import { type DeliverWebhook, deliverWebhookStart } from "./messages.ts";

/** What the activities reach the world through. */
export interface DeliverWebhookPorts {
  readonly troupe: Pick<Troupe, "ref" | "deadLetters" | "partitionOf">;
  /** Addresses that may be dialled. Default: public ones. */
  readonly allows?: ((address: string) => boolean) | undefined;
  /** Opens the secrets of endpoints. Default: they are not sealed. */
  readonly secrets?: Pick<SecretBox, "open">;
  /** Milliseconds a receiver has for its answer. Default 15,000. */
  readonly timeoutMs?: number;
}

/** What came of one try. `final`: another would not help. */
export type TryResult =
  | { readonly kind: "delivered" }
  | { readonly kind: "failed"; readonly detail: string; readonly final: boolean; readonly retryAfterMs: number };

/** A receiver may ask for no longer pause than this. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
const CALL = { timeout: "8s" } as const;

/** The steps of `deliverWebhook`. */
export function deliverWebhookActivities({ troupe, allows, secrets = plainBox, timeoutMs }: DeliverWebhookPorts) {
  return {
    /** Whether the endpoint takes a delivery now. */
    async askEndpoint(endpointId: string, eventType: string, reserved: boolean): Promise<DeliveryTurn> {
      return await orFailure(troupe.ref(Endpoint, endpointId).ask({ eventType, reserved }, CALL));
    },

    /**
     * Sends the webhook once, signed by every secret of the endpoint, and tells the endpoint what came of it. Run again
     * after a crash, it sends again under the same `webhook-id`.
     */
    async tryDelivery(delivery: DeliverWebhook, attempt: number): Promise<TryResult> {
      const { endpointId, deliveryId, webhookId, event } = delivery;
      const endpoint = troupe.ref(Endpoint, endpointId);
      const signing = await orFailure(endpoint.signing(undefined, CALL));
      if (signing === null) return { kind: "failed", detail: "The endpoint was removed", final: true, retryAfterMs: 0 };
      const keys = await openWhatOpens(secrets, signing.secrets, `endpoint/${endpointId}`);
      const body = new TextEncoder().encode(bodyOf(event));
      const headers = {
        ...signWebhook({ id: webhookId, at: new Date(), body }, keys.map(parseSigningKey)),
        "content-type": "application/cloudevents+json",
        "user-agent": "troupe-webhooks",
      };
      const begun = performance.now();
      const outcome = await deliver(
        signing.url,
        { headers, body },
        { ...(allows && { allows }), ...(timeoutMs !== undefined && { timeoutMs }) },
      );
      const result = resultOf(outcome);
      await orFailure(
        endpoint.record(
          {
            deliveryId,
            attempt,
            eventId: event.id,
            eventType: event.type,
            outcome: result.kind,
            status: outcome.kind === "answered" ? outcome.status : null,
            detail: result.kind === "failed" ? result.detail : null,
            durationMs: Math.round(performance.now() - begun),
            response: outcome.kind === "answered" ? shown(outcome.body) : null,
            nextTryAt: nextTry(result, delivery.retriesMs[attempt - 1]),
          },
          CALL,
        ),
      );
      return result;
    },

    /** Keeps what was not delivered as a dead letter. Its replay is a delivery of its own, with the same `webhook-id`. */
    async giveUp(delivery: DeliverWebhook, attempts: number, detail: string): Promise<void> {
      const { endpointId, deliveryId, event } = delivery;
      const { id, type, ...start } = deliverWebhookStart({ ...delivery, deliveryId: nextId(deliveryId) });
      const record: OutboxRecord = {
        partition: troupe.partitionOf("endpoint", endpointId),
        seq: 0,
        kind: "workflow",
        id: `wfr_${nextId(deliveryId)}`,
        name: "start",
        actor: { type: "endpoint", key: endpointId },
        target: id,
        body: JSON.stringify({ start: { type, ...start } }),
        at: Date.now(),
        traceparent: undefined,
      };
      await orFailure(
        troupe.deadLetters.record("endpoint", {
          id: `receiver:${deliveryId}`,
          reason: "receiver",
          detail,
          target: "temporal",
          attempts,
          record: JSON.stringify(record),
          at: record.at,
          type: event.type,
          key: `endpoint:${endpointId}`,
        }),
      );
    },
  };
}

/** The activities as the workflow sees them. */
export type DeliverWebhookActivities = ReturnType<typeof deliverWebhookActivities>;

/** The event as it is sent: data that came as a text is that text, so that its numbers stay what they were. */
export function bodyOf({ data_json, ...event }: DeliverWebhook["event"]): string {
  return JSON.stringify(typeof data_json === "string" ? { ...event, data: parseExact(data_json) } : event);
}

function resultOf(outcome: DeliveryOutcome): TryResult {
  switch (outcome.kind) {
    case "answered": {
      const { status, retryAfter } = outcome;
      if (status >= 200 && status < 300) return { kind: "delivered" };
      const detail = `The receiver answered ${status}`;
      return { kind: "failed", detail, final: status === 410, retryAfterMs: retryAfterMs(retryAfter, Date.now()) };
    }
    case "forbidden":
      return { kind: "failed", detail: outcome.detail, final: true, retryAfterMs: 0 };
    case "unreachable":
      return {
        kind: "failed",
        detail: `The receiver did not answer: ${outcome.detail}`,
        final: false,
        retryAfterMs: 0,
      };
  }
}

/** The beginning of an answer, on one line. */
function shown(body: string): string {
  return body.slice(0, MAX_RESPONSE_SHOWN).replaceAll(/\p{Cc}/gu, " ");
}

function nextTry(result: TryResult, pauseMs: number | undefined): string | null {
  if (result.kind === "delivered" || result.final || pauseMs === undefined) return null;
  return new Date(Date.now() + Math.max(pauseMs, result.retryAfterMs)).toISOString();
}

/** `Retry-After` in milliseconds, seconds or a date, at most a day; 0 for none or what cannot be read. */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_RETRY_AFTER_MS) : 0;
}

/** `dlv_1` → `dlv_1-2` → `dlv_1-3`: a run of its own for each replay. */
function nextId(deliveryId: string): string {
  const [, base = deliveryId, count] =
    /^(dlv_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-(\d+))?$/.exec(deliveryId) ?? [];
  return `${base}-${count === undefined ? 2 : Number(count) + 1}`;
}

async function orFailure<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw toApplicationFailure(error);
  }
}
