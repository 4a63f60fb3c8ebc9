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
