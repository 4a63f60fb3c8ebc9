/** A host's socket, as far as a door needs it. */
export interface SocketLine {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Bytes that were sent and not yet taken by the network. */
  unreadBytes(): number;
}

/** What a host tells a door of a socket. */
export interface DoorSession {
  /** A message came. Anything but a text ends the session. */
  message(data: unknown): void;
  /** The socket has closed, whoever closed it. */
  closed(): void;
}

/** What a host knows of a socket beyond the door: who its client is, and how much it may say. */
export interface SessionHooks {
  /**
   * The client names itself anew: the request that `authorize` sees from now on. What it sends meanwhile waits. `undefined`: its
   * socket is closed (1008). Default: a copy of the request that opened it, with the token as its bearer.
   */
  readonly name?: (token: string | undefined) => Promise<Request | undefined>;
  /** Before a message over a socket of an actor has its turn. What it throws is the answer. Default: nothing. */
  readonly said?: () => Promise<void> | undefined;
}
