import type { Socket } from "bun";

/** What a request is: everything is known before the load begins, so that the generator has next to nothing to do. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** @default "application/json" */
  readonly contentType?: string;
}

const HEAD_END = "\r\n\r\n";

/** The bytes of a request on a connection that stays open. */
export function requestBytes(
  host: string,
  { method, path, body, contentType = "application/json" }: PlainRequest,
): Uint8Array {
  const text = body === undefined ? "" : JSON.stringify(body);
  const content = body === undefined ? "" : `content-type: ${contentType}\r\n`;
  const head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\n${content}content-length: ${Buffer.byteLength(text)}\r\n\r\n`;
  return new TextEncoder().encode(head + text);
}

/**
 * One keep-alive connection with one request under way: cheaper than `fetch`, which would use more of the machine than
 * the servers that are measured. Reads answers that carry a content-length, and nothing else.
 */
export class HttpConnection {
  #socket: Socket | undefined;
  #answer: PromiseWithResolvers<string> | undefined;
  /** What is still to be written of the request under way: a large one does not go out at once. */
  #unsent: Uint8Array | undefined;
  #received = "";
  #open = true;

  /** Whether the server has not closed it: servers close what has been idle for long. */
  get open(): boolean {
    return this.#open;
  }

  /** Connects to `http://host:port`. */
  static async open(address: string): Promise<HttpConnection> {
    const { hostname, port } = new URL(address);
    const connection = new HttpConnection();
    connection.#socket = await Bun.connect({
      hostname,
      port: Number(port),
      socket: {
        data: (_socket, chunk) => connection.#take(chunk.toString("latin1")),
        drain: () => connection.#write(connection.#unsent),
        close: () => {
          connection.#open = false;
          connection.#fail(new Error("The server closed the connection"));
        },
        error: (_socket, error) => connection.#fail(error),
      },
    });
    return connection;
  }

  /** Sends a request. The body of its answer. Rejects unless that is a 2xx. */
  send(request: Uint8Array): Promise<string> {
    if (!this.#open) return Promise.reject(new Error("The connection is closed"));
    this.#answer = Promise.withResolvers<string>();
    this.#write(request);
    return this.#answer.promise;
  }

  close(): void {
    this.#socket?.end();
  }

  #write(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    const written = this.#socket?.write(bytes) ?? 0;
    this.#unsent = written < bytes.length ? bytes.subarray(Math.max(0, written)) : undefined;
  }

  #take(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd).toLowerCase();
    const length = /\r\ncontent-length: *(\d+)/.exec(head)?.[1];
    if (length === undefined) return this.#fail(new Error(`The answer has no content-length:\n${head}`));
    if (this.#received.length < headEnd + HEAD_END.length + Number(length)) return;
    const answer = this.#received;
    this.#received = "";
    if (answer.startsWith("HTTP/1.1 2")) this.#answer?.resolve(answer.slice(headEnd + HEAD_END.length));
    else this.#fail(new Error(`The server answered:\n${answer}`));
  }

  #fail(error: Error): void {
    this.#answer?.reject(error);
  }
}
