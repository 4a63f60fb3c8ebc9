import { connect, type Socket } from "node:net";

/** A WebSocket client that reads when it is told to, for tests: what a browser cannot be made to do. */
export class RawSocket implements Disposable {
  readonly texts: string[] = [];
  /** The code of the server's close frame. */
  closeCode: number | undefined;
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #upgraded = false;

  constructor(port: number) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", () => undefined);
    this.#socket.write(
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
  }

  get upgraded(): boolean {
    return this.#upgraded;
  }

  /** Sends a text frame of up to 65,535 bytes. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
    this.#socket.write(Buffer.concat([head, payload])); // masked with zeros
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (!this.#upgraded) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#upgraded = true;
    }
    for (let frame = this.#frame(); frame !== undefined; frame = this.#frame()) {
      if (frame.opcode === 1) this.texts.push(frame.payload.toString());
      if (frame.opcode === 8) this.closeCode = frame.payload.readUInt16BE(0);
    }
  }

  #frame(): { readonly opcode: number; readonly payload: Buffer } | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = (bytes[1] as number) & 0x7f;
    const head = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length < head) return undefined;
    const length = short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    if (bytes.length < head + length) return undefined;
    this.#bytes = bytes.subarray(head + length);
    return { opcode: (bytes[0] as number) & 0x0f, payload: bytes.subarray(head, head + length) };
  }
}
