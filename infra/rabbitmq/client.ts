import { AMQPClient } from "@cloudamqp/amqp-client";
import { type ClientTls, tlsConnect } from "../base/tls.ts";

/** Where what matters of a `basic.nack` stands in its frame: type, class and method, and the bits behind the tag. */
const NACK = { type: 1, classAt: 7, class: 60, methodAt: 9, method: 120, bitsAt: 19, bytes: 21 } as const;
const MULTIPLE = 1;

/**
 * The library's client, with two of its faults mended.
 *
 * No write rejects: what waits for an answer hears of a broken connection once, from its end. A failed write is always
 * followed by the end of the connection, which rejects every call and confirm that waits. The library rejects such a publish
 * twice, and its confirm with nobody listening: an unhandled rejection, which ends the process.
 *
 * A nack of several messages is one: the server sets a second bit beside `multiple`, and the library compares the whole byte.
 * All but the last message would wait for ever.
 */
export class Client extends AMQPClient {
  override async send(bytes: Uint8Array): Promise<void> {
    await super.send(bytes).catch(() => undefined);
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

/** A client that is not connected yet, and says nothing by itself. With `amqps://` it checks the server's certificate. */
export function newClient(url: string, tls?: ClientTls): Client {
  return new Client(url, url.startsWith("amqps:") ? tlsConnect(tls) : undefined, null);
}
