import { headers, type MsgHdrs } from "@nats-io/transport-node";

const LINE_BREAK = /[\r\n]/;
const ASCII = /^[\0-\x7f]*$/;
const VERSION = "NATS/1.0\r\n";
/** Longer ones are looked up by the library. */
const MAX_READ_BYTES = 1_024;
const encoder = new TextEncoder();

/** A message as it came, of a subscription or of a stream. */
export interface ReceivedMessage {
  readonly data: Uint8Array;
  readonly headers?: MsgHdrs | undefined;
}

/**
 * Headers as they go over the wire, written once from all their names and values, in the order given. The library's own are
 * made for being looked up and changed: setting the six of an event costs more than everything else about publishing it.
 *
 * @throws {TypeError} a value holds a line break.
 */
export function wireHeaders(entries: Iterable<readonly [name: string, value: string]>): MsgHdrs {
  let text = VERSION;
  for (const [name, value] of entries) {
    if (LINE_BREAK.test(value)) throw new TypeError(`Cannot send the header ${name} as its value holds a line break`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = encoder.encode(`${text}\r\n`);
  // The one thing that is asked of headers on their way out.
  return Object.assign(headers(), { encode: () => bytes });
}

/**
 * The value of one header that {@link wireHeaders} wrote; `undefined` where there is none. The headers of a message stand in
 * front of its payload in the bytes that came over the wire, and to find one there costs a tenth of making a map of all. What
 * is not found as expected there is looked up in that map.
 */
export function wireHeader(message: ReceivedMessage, name: string): string | undefined {
  const { buffer, byteOffset } = message.data;
  const length = Math.min(byteOffset, MAX_READ_BYTES);
  const text = Buffer.from(buffer, byteOffset - length, length).toString("latin1");
  const start = startOf(text);
  // Of what is not ASCII, only the library knows how it was written.
  if (start < 0 || !ASCII.test(text)) return message.headers?.get(name) || undefined;
  const line = text.indexOf(`\r\n${name}: `, start);
  if (line < 0) return undefined;
  const from = line + name.length + 4;
  return text.slice(from, text.indexOf("\r\n", from));
}

/** Where the headers begin that end with the text. No header can hold a line that is the version alone. */
function startOf(text: string): number {
  if (!text.endsWith("\r\n\r\n")) return -1;
  const start = text.lastIndexOf(`\r\n${VERSION}`);
  return start < 0 && text.startsWith(VERSION) ? 0 : start;
}
