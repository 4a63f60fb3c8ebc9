import * as v from "valibot";
import { carried } from "#actors/gateway/inbox/exact-data.ts";
import { GatewayEvent } from "#actors/gateway/inbox/messages.ts";
import { isExactNumber, parseExact } from "#infra/json/exact.ts";
import type { StoredDeadLetter } from "#runtime";

/** Where in what a dead letter holds the data of an event stands: in an event that was taken or routed, or in a delivery. */
const PLACES: readonly (readonly (string | number)[])[] = [["event"], ["start", "args", 0, "event"]];

interface Json {
  readonly [name: string]: unknown;
}

/** The event that a dead letter is about, as far as it holds one. */
export function eventOf(record: string): GatewayEvent | undefined {
  const body = bodyOf(record);
  for (const place of PLACES) {
    const found = at(body, place);
    if (!isObject(found)) continue;
    const { id, source, type, subject } = found;
    const event = v.safeParse(GatewayEvent, {
      ...{ id, source, type, extensions: {} },
      ...carried(dataIn(found)),
      ...(typeof subject === "string" && { subject }),
    });
    if (event.success) return event.output;
  }
  return undefined;
}

/** What `PATCH` changes of a dead letter: the data of its event, else the whole input of its message. */
export function dataOf(record: string): unknown {
  const body = bodyOf(record);
  const place = placeIn(body);
  return place === undefined ? body : (dataIn(at(body, place) as Json) ?? null);
}

/** What a dead letter holds, with other data in the same place. */
export function withData(body: unknown, data: unknown): unknown {
  const place = placeIn(body);
  return place === undefined ? data : put(body, place, withOther(at(body, place) as Json, data, isRouted(body)));
}

/** An event with other data: its data stands in one place alone. */
function withOther({ data: _, data_json: __, data_base64: ___, ...event }: Json, data: unknown, routed: boolean): Json {
  return { ...event, ...(routed ? { data } : carried(data)) };
}

/** A routed event leaves as it stands; others are read again before they do. */
function isRouted(body: unknown): boolean {
  return isObject(body) && Object.hasOwn(body, "to");
}

function dataIn({ data, data_json }: Json): unknown {
  return typeof data_json === "string" ? parseExact(data_json) : data;
}

/** Whether a dead letter holds something that can be changed and replayed. */
export function isEditable({ record }: Pick<StoredDeadLetter, "record">): boolean {
  const parsed = JSON.parse(record) as Json;
  if ("dueAt" in parsed) return true;
  if (parsed["kind"] === "workflow") return placeIn(bodyOf(record)) !== undefined;
  return "seq" in parsed && "kind" in parsed;
}

function placeIn(body: unknown): readonly (string | number)[] | undefined {
  return PLACES.find((place) => {
    const event = at(body, place);
    return isObject(event) && typeof event["id"] === "string" && typeof event["type"] === "string";
  });
}

/** The message's input, the event's data or the workflow's request. */
function bodyOf(record: string): unknown {
  const { body, input } = JSON.parse(record) as { readonly body?: string; readonly input?: string };
  const text = body ?? input;
  try {
    return text === undefined ? undefined : parseExact(text);
  } catch {
    return undefined;
  }
}

function at(value: unknown, place: readonly (string | number)[]): unknown {
  let found = value;
  for (const step of place) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Json)[step];
  }
  return found;
}

function put(value: unknown, [step, ...rest]: readonly (string | number)[], data: unknown): unknown {
  if (step === undefined) return data;
  if (Array.isArray(value)) return value.map((item, i) => (i === step ? put(item, rest, data) : (item as unknown)));
  return { ...(value as Json), [step]: put((value as Json)[step], rest, data) };
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isExactNumber(value);
}
