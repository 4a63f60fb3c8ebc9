/** What a session of a page needs of its browser. */
export interface SessionOptions {
  /** Where the key is kept: gone with the tab. */
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly send: (path: string, init: RequestInit) => Promise<Response>;
  /** Asks the person for a key. `refused`: the one there was is not good. */
  readonly askForKey: (refused: boolean) => Promise<string>;
  /** Where sockets are opened: `ws://localhost:3000/ws`. */
  readonly socketUrl: string;
}

/** Who a page speaks for. */
export interface PageSession {
  /** Whether there is a key. */
  readonly signedIn: boolean;
  /** As `fetch`, with the key. Where one is needed, or another, asks for it and tries again. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Where to open a socket now: with a ticket where there is a key. Good once. */
  socketAddress(): Promise<string>;
  /** Calls `heard` whenever a key was entered. */
  onSignIn(heard: () => void): void;
  signOut(): void;
}

/**
 * Keeps the key of a page for as long as its tab is open, and sends it in a header: it is in no address, and in no cookie that
 * another page could make use of. Many questions at once ask the person once.
 */
export function openSession({ storage, send, askForKey, socketUrl }: SessionOptions): PageSession {
  const NAME = "troupe-key";
  const listeners: (() => void)[] = [];
  let asking: Promise<void> | undefined;

  const signIn = async (refused: boolean): Promise<void> => {
    storage.setItem(NAME, await askForKey(refused));
    for (const heard of listeners) heard();
  };

  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    for (;;) {
      const key = storage.getItem(NAME);
      const headers = new Headers(init.headers);
      if (key !== null) headers.set("authorization", `Bearer ${key}`);
      const answer = await send(path, { ...init, headers });
      if (answer.status !== 401) return answer;
      // Another key may have been entered while this question was on its way.
      if (storage.getItem(NAME) !== key) continue;
      await (asking ??= signIn(key !== null).finally(() => (asking = undefined)));
    }
  };

  return {
    get signedIn() {
      return storage.getItem(NAME) !== null;
    },
    ask,
    async socketAddress() {
      if (asking !== undefined) await asking;
      if (storage.getItem(NAME) === null) return socketUrl;
      const answer = await ask("/tickets", { method: "POST" });
      if (!answer.ok) throw new Error(`Cannot open a socket as there is no ticket: ${answer.status}`);
      const { ticket } = (await answer.json()) as { ticket: string };
      return `${socketUrl}?ticket=${ticket}`;
    },
    onSignIn: (heard) => void listeners.push(heard),
    signOut: () => storage.removeItem(NAME),
  };
}
