import { headers, type MsgHdrs } from "@nats-io/transport-node";

const LINE_BREAK = /[\r\n]/;
const encoder = new TextEncoder();

/**
 * Headers as they go over the wire, written once from all their names and values, in the order given. The library's own are
 * made for being looked up and changed: setting the six of an event costs more than everything else about publishing it.
 *
 * @throws {TypeError} a value holds a line break.
 */
export function wireHeaders(entries: Iterable<readonly [name: string, value: string]>): MsgHdrs {
  let text = "NATS/1.0\r\n";
  for (const [name, value] of entries) {
    if (LINE_BREAK.test(value)) throw new TypeError(`Cannot send the header ${name} as its value holds a line break`);
    text += `${name}: ${value}\r\n`;
  }
  const bytes = encoder.encode(`${text}\r\n`);
  // The one thing that is asked of headers on their way out.
  return Object.assign(headers(), { encode: () => bytes });
}
