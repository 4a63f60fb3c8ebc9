import type { ServerWebSocket, WebSocketHandler } from "bun";

/** What waits for the other side, in bytes. Beyond it the slower side is left behind. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
const OPEN_WITHIN_MS = 10_000;

/** A WebSocket of a client and one of a container, each of which gets what the other says. */
export class Tunnel {
  containerId: string | undefined;
  readonly protocol: string;
  readonly #upstream: WebSocket;
  readonly #closed: () => void;
  #client: ServerWebSocket<Tunnel> | undefined;
  #early: (string | ArrayBuffer)[] = [];
  #over = false;

  private constructor(upstream: WebSocket, closed: () => void) {
    this.#upstream = upstream;
    this.#closed = closed;
    this.protocol = upstream.protocol;
    upstream.binaryType = "arraybuffer";
    upstream.onmessage = ({ data }) => this.#toClient(data as string | ArrayBuffer);
    upstream.onclose = ({ code, reason }) => this.close(code, reason);
    upstream.onerror = () => this.close(1011, "the service broke off");
  }

  /** Opens the container's side. Rejects when it does not take it. */
  static open(url: string, headers: Headers, closed: () => void): Promise<Tunnel> {
    const protocols =
      headers
        .get("sec-websocket-protocol")
        ?.split(",")
        .map((one) => one.trim()) ?? [];
    const onward = new Headers(headers);
    for (const name of [...onward.keys()]) if (name.startsWith("sec-websocket-")) onward.delete(name);
    const upstream = new WebSocket(url, { headers: Object.fromEntries(onward), protocols } as never);
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        clearTimeout(late);
        upstream.close();
        reject(new Error("the service did not take the socket"));
      };
      const late = setTimeout(fail, OPEN_WITHIN_MS);
      upstream.onerror = fail;
      upstream.onclose = fail;
      upstream.onopen = () => {
        clearTimeout(late);
        resolve(new Tunnel(upstream, closed));
      };
    });
  }

  /** The client's side is open. */
  attach(client: ServerWebSocket<Tunnel>): void {
    this.#client = client;
    const early = this.#early;
    this.#early = [];
    for (const data of early) client.send(data);
    if (this.#over) client.close(1011, "the service broke off");
  }

  toContainer(data: string | Buffer): void {
    if (this.#upstream.bufferedAmount > MAX_BUFFERED_BYTES) return this.close(1013, "the service reads too slowly");
    if (this.#upstream.readyState === WebSocket.OPEN) this.#upstream.send(data as string | Buffer<ArrayBuffer>);
  }

  close(code: number, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    const sendable =
      code === 1000 ||
      (code >= 1001 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
      code >= 3_000;
    const said = sendable ? code : 1000;
    this.#client?.close(said, reason.slice(0, 100));
    if (this.#upstream.readyState <= WebSocket.OPEN) this.#upstream.close(said === 1000 || said >= 3_000 ? said : 1000);
    this.#closed();
  }

  #toClient(data: string | ArrayBuffer): void {
    if (!this.#client) {
      if (this.#early.length < 1_000) this.#early.push(data);
      return;
    }
    if (this.#client.getBufferedAmount() > MAX_BUFFERED_BYTES) return this.close(1013, "the client reads too slowly");
    this.#client.send(data);
  }
}

/** The handlers of a server whose sockets are tunnels or something else. */
export function withTunnels<Other>(other: WebSocketHandler<Other>): WebSocketHandler<Other | Tunnel> {
  const own = (ws: ServerWebSocket<Other | Tunnel>): Tunnel | undefined =>
    ws.data instanceof Tunnel ? ws.data : undefined;
  const theirs = (ws: ServerWebSocket<Other | Tunnel>) => ws as ServerWebSocket<Other>;
  return {
    ...(other as WebSocketHandler<Other | Tunnel>),
    open(ws) {
      const tunnel = own(ws);
      if (tunnel) tunnel.attach(ws as ServerWebSocket<Tunnel>);
      else return other.open?.(theirs(ws));
    },
    message(ws, data) {
      const tunnel = own(ws);
      if (tunnel) tunnel.toContainer(data);
      else return other.message?.(theirs(ws), data);
    },
    close(ws, code, reason) {
      const tunnel = own(ws);
      if (tunnel) tunnel.close(code, reason);
      else return other.close?.(theirs(ws), code, reason);
    },
    drain(ws) {
      if (!own(ws)) return other.drain?.(theirs(ws));
    },
    ping(ws, data) {
      if (!own(ws)) return other.ping?.(theirs(ws), data);
    },
    pong(ws, data) {
      if (!own(ws)) return other.pong?.(theirs(ws), data);
    },
  };
}
