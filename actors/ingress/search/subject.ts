import * as v from "valibot";
import { OrderId } from "#actors/shop/order/messages.ts";
import type { TraceStore } from "#infra/otel/trace-store.ts";

/** What a search is about: the text as it was typed, and what is known to be meant by it. */
export interface Subject {
  readonly text: string;
  /** Keys of actors that the text speaks of, the surest first: `ord_42` for itself, its workflow's id, its trace's id. */
  readonly keys: readonly string[];
  /** Those of them that are orders. */
  readonly orderIds: readonly string[];
}

/** A text speaks of so many keys at most. */
const KEYS = 4;
const TRACE_ID = /^[0-9a-f]{32}$/;
const KEY_ATTRIBUTES = ["troupe.actor.key", "troupe.workflow.id"] as const;

/**
 * Tells what a text speaks of. An id may stand behind a slash (`order/ord_42`, `fulfil-order/ord_42`) or a colon
 * (`kafka:ord_42`); a trace speaks of the orders that its spans name.
 */
export function subjectOf(text: string, traces: Pick<TraceStore, "get"> | undefined): Subject {
  const keys = new Set([text, ...afterLast(text, "/"), ...afterLast(text, ":")]);
  if (TRACE_ID.test(text)) for (const orderId of ordersOf(traces?.get(text)?.spans ?? [])) keys.add(orderId);
  const known = [...keys].slice(0, KEYS);
  return { text, keys: known, orderIds: known.filter(isOrderId) };
}

function afterLast(text: string, mark: string): readonly string[] {
  const at = text.lastIndexOf(mark);
  return at < 0 || at === text.length - 1 ? [] : [text.slice(at + 1)];
}

function ordersOf(spans: readonly { readonly attributes: Readonly<Record<string, unknown>> }[]): string[] {
  const named = spans.flatMap(({ attributes }) => KEY_ATTRIBUTES.map((name) => String(attributes[name] ?? "")));
  return [...new Set(named.flatMap((name) => [name, ...afterLast(name, "/")]).filter(isOrderId))];
}

function isOrderId(text: string): boolean {
  return v.is(OrderId, text);
}
