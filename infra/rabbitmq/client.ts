import { AMQPClient } from "@cloudamqp/amqp-client";
import { type ClientTls, tlsConnect } from "../base/tls.ts";

/** Where what matters of a `basic.nack` stands in its frame: type, class and method, and the bits behind the tag. */
const NACK = { type: 1, classAt: 7, class: 60, methodAt: 9, method: 120, bitsAt: 19, bytes: 21 } as const;
const MULTIPLE = 1;

/** Bytes that are written at once, about. */
const WRITE_BYTES = 262_144;

/**
 * The library's client, with two of its faults mended, and one write for all that is sent in one moment: a write for each
 * message is a call of the system for each.
 *
 * No write rejects: what waits for an answer hears of a broken connection once, from its end. A failed write is always
 * followed by the end of the connection, which rejects every call and confirm that waits. The library rejects such a publish
 * twice, and its confirm with nobody listening: an unhandled rejection, which ends the process.
 *
 * A nack of several messages is one: the server sets a second bit beside `multiple`, and the library compares the whole byte.
 * All but the last message would wait for ever.
 */
export class Client extends AMQPClient {
  #gathered: Uint8Array[] = [];
  #writing: Promise<void> = Promise.resolve();

  override send(bytes: Uint8Array): Promise<void> {
    // The bytes are the caller's again when this resolves, and not before.
    if (this.#gathered.push(bytes) === 1) this.#writing = Promise.resolve().then(() => this.#writeAll());
    return this.#writing;
  }

  async #writeAll(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    const writes: Promise<void>[] = [];
    for (let from = 0, to = 0, size = 0; from < gathered.length; from = to, size = 0) {
      while (to < gathered.length && (to === from || size + byteLength(gathered[to]) <= WRITE_BYTES))
        size += byteLength(gathered[to++]);
      const [only = new Uint8Array(), ...more] = gathered.slice(from, to);
      writes.push(super.send(more.length === 0 ? only : Buffer.concat([only, ...more], size)).catch(() => undefined));
    }
    await Promise.all(writes);
  }

  protected override parseFrames(view: Parameters<AMQPClient["parseFrames"]>[0]): void {
    if (
      view.byteLength === NACK.bytes &&
      view.getUint8(0) === NACK.type &&
      view.getUint16(NACK.classAt) === NACK.class &&
      view.getUint16(NACK.methodAt) === NACK.method
    )
      view.setUint8(NACK.bitsAt, view.getUint8(NACK.bitsAt) & MULTIPLE);
    super.parseFrames(view);
  }
}

function byteLength(bytes: Uint8Array | undefined): number {
  return bytes?.byteLength ?? 0;
}

/** A client that is not connected yet, and says nothing by itself. With `amqps://` it checks the server's certificate. */
export function newClient(url: string, tls?: ClientTls): Client {
  return new Client(url, url.startsWith("amqps:") ? tlsConnect(tls) : undefined, null);
}
