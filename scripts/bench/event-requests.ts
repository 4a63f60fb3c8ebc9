import { requestBytes } from "./http-client.ts";
import type { RequestOf } from "./http-load.ts";

/** The type of every event of the benchmark. */
export const EVENT_TYPE = "bench.measured";
/** What its data has to fit. */
export const EVENT_SCHEMA = {
  type: "object",
  properties: {
    sensor: { type: "string", minLength: 1 },
    celsius: { type: "number", minimum: -60, maximum: 80 },
    tags: { type: "array", items: { type: "string" }, maxItems: 10 },
    note: { type: "string", maxLength: 500 },
  },
  required: ["sensor", "celsius"],
};

const SUBJECTS = 1_000;
const NTH = "@nth-of-a-caller@";
const SUBJECT = "@who@";

/** One event per request, in the short form. Every event has an id of its own, as senders that repeat themselves need it. */
export function singleEvents(host: string, callers: number): RequestOf {
  const templates = Array.from({ length: callers }, (_, caller) => {
    const event = {
      id: `single-${callers}-${caller}-${NTH}`,
      type: EVENT_TYPE,
      subject: SUBJECT,
      data: dataOf(SUBJECT),
    };
    return new Template(requestBytes(host, { method: "POST", path: "/events", body: event }));
  });
  return (caller, nth) => templates[caller]!.bytes(() => nth, (caller * 7 + nth) % SUBJECTS);
}

/** Where batches go, and as what. */
export interface BatchDoor {
  readonly host: string;
  readonly path: string;
  readonly contentType: string;
}

/** `size` CloudEvents per request, as a JSON array. */
export function eventBatches({ host, ...door }: BatchDoor, callers: number, size: number): RequestOf {
  const templates = Array.from({ length: callers }, (_, caller) => {
    const body = Array.from({ length: size }, () => ({
      specversion: "1.0",
      id: `batch-${callers}-${caller}-${NTH}`,
      source: "/bench",
      type: EVENT_TYPE,
      subject: SUBJECT,
      data: dataOf(SUBJECT),
    }));
    return new Template(requestBytes(host, { ...door, method: "POST", body }));
  });
  return (caller, nth) => templates[caller]!.bytes((i) => nth * size + i, (caller * 7 + nth * 131) % SUBJECTS);
}

function dataOf(sensor: string): unknown {
  return {
    sensor,
    celsius: 21.5,
    tags: ["roof", "north"],
    note: "within the limits that were agreed on for this place",
  };
}

/** A request with places for numbers: filled in where they stand, as the generator is to do next to nothing. */
class Template {
  readonly #bytes: Uint8Array;
  readonly #nths: readonly number[];
  readonly #subjects: readonly number[];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#nths = placesOf(bytes, NTH);
    this.#subjects = placesOf(bytes, SUBJECT);
  }

  /** The bytes with the number of each event and its subject. They change with the next call. */
  bytes(nthOf: (place: number) => number, subject: number): Uint8Array {
    for (const [i, at] of this.#nths.entries()) writeDigits(this.#bytes, at, NTH.length, nthOf(i));
    for (const [i, at] of this.#subjects.entries())
      writeDigits(this.#bytes, at, SUBJECT.length, (subject + (i >> 1)) % SUBJECTS);
    return this.#bytes;
  }
}

function placesOf(bytes: Uint8Array, mark: string): number[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const places: number[] = [];
  for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + 1)) places.push(at);
  return places;
}

function writeDigits(bytes: Uint8Array, at: number, count: number, value: number): void {
  for (let i = at + count - 1, rest = value; i >= at; i--, rest = Math.floor(rest / 10)) bytes[i] = 0x30 + (rest % 10);
}
