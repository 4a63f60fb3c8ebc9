/** A broadcast as it comes over the socket. */
export interface LiveMessage {
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  readonly data: unknown;
}

export interface FollowOptions {
  readonly onMessage: (message: LiveMessage) => void;
  /** Messages of these topics may be missing: look at what they are about anew. */
  readonly onGap?: (topics: readonly string[]) => void;
  /** The server said no to something: `{code, detail}`. */
  readonly onError?: (error: { readonly code: string; readonly detail: string }) => void;
  /** Milliseconds between pings; a socket whose ping has no answer by the next is given up. @default 15_000 */
  readonly pingMs?: number;
  /** Milliseconds before the first try to come back; doubles up to `maxRetryMs`, each spread by half. @default 250 */
  readonly retryMs?: number;
  /** @default 10_000 */
  readonly maxRetryMs?: number;
}

/** Where to connect; or how to find out, anew for each connection. */
export type SocketUrl = string | (() => Promise<string>);

export interface Following {
  /** Follows further topics, from now on. */
  add(topics: readonly string[]): void;
  /** Goes on at another address, at once: the same system behind another process, or for somebody else. */
  moveTo(url: SocketUrl): void;
  close(): void;
}

/**
 * Follows topics over a socket that comes back by itself, and resumes each topic behind the last message it brought:
 * nothing is missed or repeated within the server's history, and `onGap` says where that was too short.
 *
 * Web standards alone: it runs in a page, and in tests.
 *
 * @example
 * ```ts
 * const following = followTopics("ws://localhost:3000/ws", ["orders"], { onMessage: ({ data }) => console.log(data) });
 * ```
 */
export function followTopics(url: SocketUrl, topics: readonly string[], options: FollowOptions): Following {
  const { onMessage, onGap, onError, pingMs = 15_000, retryMs = 250, maxRetryMs = 10_000 } = options;
  /** Where each topic has got to; undefined until the server has said. */
  const places = new Map<string, string | undefined>(topics.map((topic) => [topic, undefined]));
  let address = url;
  let opening = 0;
  let socket: WebSocket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let closed = false;

  const subscribe = (wanted: readonly string[]): void => {
    const byPlace = new Map<string | undefined, string[]>();
    for (const topic of wanted) {
      const place = places.get(topic);
      byPlace.set(place, [...(byPlace.get(place) ?? []), topic]);
    }
    for (const [after, list] of byPlace)
      socket?.send(JSON.stringify(after === undefined ? { subscribe: list } : { subscribe: list, after }));
  };

  const hear = (text: string): void => {
    const frame = JSON.parse(text);
    if ("topic" in frame) {
      places.set(frame.topic, frame.id);
      onMessage(frame);
    } else if ("subscribed" in frame) {
      failures = 0;
      for (const topic of frame.subscribed) places.set(topic, frame.id);
    } else if ("gap" in frame) {
      for (const topic of frame.gap) places.set(topic, frame.id);
      onGap?.(frame.gap);
    } else if ("pong" in frame) {
      failures = 0;
      for (const group of frame.at) for (const topic of group.topics) places.set(topic, group.id);
    } else if ("error" in frame) {
      onError?.(frame.error);
      // A place that the server cannot read: whatever was missed is not to be had.
      if (frame.error.code === "invalid_after") {
        const all = [...places.keys()];
        for (const topic of all) places.set(topic, undefined);
        onGap?.(all);
        subscribe(all);
      } else if (frame.error.code === "unavailable") socket?.close();
    }
  };

  const again = (code: number): void => {
    clearTimeout(timer);
    socket = undefined;
    if (closed) return;
    const most = Math.min(maxRetryMs, retryMs * 2 ** Math.min(failures++, 16));
    // 1008: this client said too much; it should not hurry.
    timer = setTimeout(open, code === 1008 ? maxRetryMs : most * (0.5 + Math.random()));
  };

  const open = (): void => {
    clearTimeout(timer);
    const mine = ++opening;
    if (typeof address === "string") return connect(address);
    const current = (): boolean => mine === opening && !closed;
    address().then(
      (found) => current() && connect(found),
      () => current() && again(0),
    );
  };

  const connect = (at: string): void => {
    const mine = (socket = new WebSocket(at));
    let answered = true;
    const ping = (): void => {
      if (!answered) return mine.close();
      answered = false;
      mine.send('{"ping":null}');
      timer = setTimeout(ping, pingMs);
    };
    mine.onopen = () => {
      if (mine !== socket) return mine.close();
      subscribe([...places.keys()]);
      timer = setTimeout(ping, pingMs);
    };
    mine.onmessage = (event) => {
      if (mine !== socket) return;
      answered = true;
      hear(String(event.data));
    };
    mine.onclose = (event) => {
      if (mine === socket) again(event.code);
    };
  };

  const drop = (): void => {
    const old = socket;
    opening++;
    socket = undefined;
    clearTimeout(timer);
    old?.close();
  };

  open();
  return {
    add(more) {
      const fresh = more.filter((topic) => !places.has(topic));
      for (const topic of fresh) places.set(topic, undefined);
      if (socket?.readyState === WebSocket.OPEN) subscribe(fresh);
    },
    moveTo(other) {
      address = other;
      drop();
      failures = 0;
      open();
    },
    close() {
      closed = true;
      drop();
    },
  };
}
