/** Sockets without a network, for suites that run on every host: on workerd its own pairs, elsewhere two linked objects. */
import type { ClientSocket } from "../client/mod.ts";
import { type ActorHandler, serveSocket, type WebSocketLike, workerFetch } from "./mod.ts";

type Listeners = { [type: string]: ((event: never) => void)[] };

/** One end. */
export class LocalSocket implements ClientSocket, WebSocketLike {
  peer: { send(text: string): void; close(code?: number): void } | undefined;
  readonly #listeners: Listeners = {};
  #open = true;

  /** Opens a socket of a door, as a host would. */
  static dial(door: ActorHandler, url: string, headers: Readonly<Record<string, string>> = {}): LocalSocket {
    const socket = new LocalSocket();
    const request = new Request(url.replace(/^ws/u, "http"), { headers: { upgrade: "websocket", ...headers } });
    void (async () => {
      await Promise.resolve();
      if ("WebSocketPair" in globalThis) return linkWorker(socket, await workerFetch(door, request));
      if (!door.wantsSocket(request) || door.refuseSocket(request) !== undefined) return socket.emitClose(1_006);
      const other = new LocalSocket();
      socket.peer = { send: (text) => other.emit("message", { data: text }), close: (code) => other.emitClose(code) };
      other.peer = { send: (text) => socket.emit("message", { data: text }), close: (code) => socket.emitClose(code) };
      serveSocket(door, request, other);
      socket.emit("open", {});
    })();
    return socket;
  }

  send(data: string | Uint8Array): void {
    if (this.#open) this.peer?.send(data as string);
  }

  close(code = 1_000): void {
    if (!this.#open) return;
    this.peer?.close(code);
    this.emitClose(code);
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    (this.#listeners[type] ??= []).push(listener);
  }

  emit(type: string, event: object): void {
    queueMicrotask(() => {
      for (const listener of this.#listeners[type] ?? []) listener(event as never);
    });
  }

  emitClose(code = 1_000): void {
    if (this.#open) this.emit("close", { code });
    this.#open = false;
  }
}

interface WorkerSocket extends WebSocketLike {
  accept(): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: (event?: { readonly code?: number }) => void): void;
}

function linkWorker(socket: LocalSocket, response: Response): void {
  const { webSocket } = response as unknown as { readonly webSocket?: WorkerSocket | null };
  if (webSocket == null) return socket.emitClose(1_006);
  webSocket.accept();
  webSocket.addEventListener("message", ({ data }) => socket.emit("message", { data: data as string }));
  webSocket.addEventListener("close", (event) => socket.emitClose(event?.code));
  socket.peer = webSocket;
  socket.emit("open", {});
}
