/** One question over TCP, for readiness checks. */
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";

const DEADLINE_MS = 2_000;

/** Where to ask. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean;
}

/** `host:port` → endpoint. Throws `TypeError` when there is no port. */
export function parseEndpoint(text: string): Endpoint {
  const at = text.lastIndexOf(":");
  const port = Number(text.slice(at + 1));
  if (at < 1 || !Number.isInteger(port)) throw new TypeError(`Cannot read "${text}" as host:port`);
  return { host: text.slice(0, at), port };
}

/** Sends `question` and collects bytes until `read` makes an answer of them. Throws what `read` throws, when the peer closes first, and after 2 s. */
export function ask<T>(endpoint: Endpoint, question: Uint8Array, read: (bytes: Buffer) => T | undefined): Promise<T> {
  const { host, port } = endpoint;
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const socket: Socket =
      endpoint.tls === true ? connectSecure({ host, port, servername: host }) : connectPlain({ host, port });
    const timer = setTimeout(
      () => finish(() => reject(new Error(`${host}:${port} did not answer within ${DEADLINE_MS} ms`))),
      DEADLINE_MS,
    );
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    socket.once("error", (error) => finish(() => reject(error)));
    socket.once("close", () => finish(() => reject(new Error(`${host}:${port} closed the connection`))));
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      try {
        const answer = read(bytes);
        if (answer !== undefined) finish(() => resolve(answer));
      } catch (error) {
        finish(() => reject(error as Error));
      }
    });
    socket.write(question);
  });
}
