/**
 * The frames of a socket and the lines of a batch, as JSON.
 *
 * | from the client | means |
 * |---|---|
 * | `{"id", "call": [type, key, message], "input"?, "key"?, "deadlineMs"?}` | a call; `key` is its `Idempotency-Key` |
 * | `{"id", "watch": [type, key], "after"?}` | a stream, behind the event `after` |
 * | `{"id", "take": n}` | of its stream `n` more events may come; it begins with {@link WINDOW} |
 * | `{"id", "connect": [type, key], "data"?}` | a socket of an actor: its events are what the actor sends |
 * | `{"id", "say": data, "n": number}` | a message over the socket `id` of an actor |
 * | `{"id", "cancel": true}` | the call, stream or socket is given up |
 * | `{"auth": token}` | who asks from now on; `null`: nobody |
 * | `{}` | the client lives |
 *
 * | from the door | means |
 * |---|---|
 * | `{"id", "status", "body"?}` | a reply |
 * | `{"id", "status", "problem", "retryAfter"?}` | a failure; of a stream its end |
 * | `{"id", "at", "event", "data"}` | an event of a stream |
 * | `{"id", "connected": true}` | the socket of an actor stands |
 * | `{"id", "n", "status", "problem"?, "retryAfter"?}` | the turn of the message `n` over the socket `id` is durable, or failed |
 * | `{"id", "end": true}` | the stream is over, and its client should ask anew |
 * | `{}` | the door lives |
 */
import type { Ask, Connect, Follow } from "./core.ts";
import { doorProblem, type Failure } from "./failure.ts";
import type { WatchEvent } from "./watch-event.ts";

/** Events of a stream that are sent before its client has taken any. */
export const WINDOW = 8;

/** A call with the number its answer carries. */
export interface NumberedAsk {
  readonly id: number;
  readonly ask: Ask;
}

/** What a client sent. */
export type Frame =
  | { readonly kind: "alive" }
  | { readonly kind: "auth"; readonly token: string | undefined }
  | { readonly kind: "call"; readonly id: number; readonly ask: Ask }
  | { readonly kind: "watch"; readonly id: number; readonly follow: Follow }
  | { readonly kind: "connect"; readonly id: number; readonly connect: Connect }
  | { readonly kind: "say"; readonly id: number; readonly n: number; readonly data: unknown }
  | { readonly kind: "take"; readonly id: number; readonly events: number }
  | { readonly kind: "cancel"; readonly id: number };

type Members = Readonly<Record<string, unknown>>;

/** Reads a parsed frame; `undefined`: it is none. */
export function frameOf(value: unknown): Frame | undefined {
  if (!isObject(value)) return undefined;
  const { id, auth, take } = value;
  if (id === undefined) {
    if (auth === undefined) return { kind: "alive" };
    return typeof auth === "string" || auth === null ? { kind: "auth", token: auth ?? undefined } : undefined;
  }
  if (!isCount(id)) return undefined;
  if (value["call"] !== undefined) return callOf(value, id);
  if (value["watch"] !== undefined) return watchOf(value, id);
  if (value["connect"] !== undefined) return connectOf(value, id);
  if (value["say"] !== undefined) return sayOf(value, id);
  if (value["cancel"] === true) return { kind: "cancel", id };
  return isCount(take) ? { kind: "take", id, events: take } : undefined;
}

/**
 * The calls of a batch.
 * @throws {Problem} 400 `batch.malformed`: not one to `max` calls, or two with one id.
 */
export function asksOf(value: unknown, max: number): readonly NumberedAsk[] {
  const calls = Array.isArray(value) ? value.map((call) => (isObject(call) ? frameOf(call) : undefined)) : [];
  const asks = calls.flatMap((call) => (call?.kind === "call" ? [call] : []));
  const fits = asks.length > 0 && asks.length === calls.length && asks.length <= max;
  if (!fits || new Set(asks.map(({ id }) => id)).size < asks.length) {
    throw doorProblem(
      "batch.malformed",
      `A batch is an array of 1 to ${max} calls {"id", "call": [type, key, message], …}`,
    );
  }
  return asks;
}

/** The text of a reply, which is JSON; `undefined`: it is empty. */
export function replyText(id: number, reply: string | undefined): string {
  return reply === undefined ? `{"id":${id},"status":204}` : `{"id":${id},"status":200,"body":${reply}}`;
}

/** The text of a failure. */
export function failureText(id: number, { status, body, problem }: Failure): string {
  const { retryAfter } = problem;
  return JSON.stringify({ id, status, ...(retryAfter !== undefined && { retryAfter }), problem: body });
}

/** The text of what became of a message over a socket of an actor. */
export function saidText(id: number, n: number, failure: Failure | undefined): string {
  if (failure === undefined) return `{"id":${id},"n":${n},"status":204}`;
  return `{"n":${n},${failureText(id, failure).slice(1)}`;
}

/** The text of an event. */
export function eventText(id: number, { members }: WatchEvent): string {
  return `{"id":${id},${members}`;
}

function callOf(frame: Members, id: number): Frame | undefined {
  const names = textsOf(frame["call"], 3);
  const { input, key, deadlineMs } = frame;
  if (names === undefined || !(key === undefined || typeof key === "string")) return undefined;
  if (!(deadlineMs === undefined || typeof deadlineMs === "number")) return undefined;
  const [type = "", actorKey = "", message = ""] = names;
  const deadline = deadlineMs === undefined ? undefined : String(deadlineMs);
  return { kind: "call", id, ask: { type, key: actorKey, message, input, idempotencyKey: key, deadlineMs: deadline } };
}

function watchOf(frame: Members, id: number): Frame | undefined {
  const names = textsOf(frame["watch"], 2);
  const { after } = frame;
  if (names === undefined || !(after === undefined || typeof after === "string")) return undefined;
  const [type = "", key = ""] = names;
  return { kind: "watch", id, follow: { type, key, after } };
}

function connectOf(frame: Members, id: number): Frame | undefined {
  const [type = "", key = ""] = textsOf(frame["connect"], 2) ?? [];
  return type === "" ? undefined : { kind: "connect", id, connect: { type, key, data: frame["data"] } };
}

function sayOf({ n, say }: Members, id: number): Frame | undefined {
  return isCount(n) ? { kind: "say", id, n, data: say } : undefined;
}

function textsOf(value: unknown, count: number): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length !== count) return undefined;
  const texts = value as readonly unknown[];
  return texts.every((text) => typeof text === "string" && text !== "") ? (texts as readonly string[]) : undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
