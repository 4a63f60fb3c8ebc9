import type { Socket } from "node:net";

/** Lets two sockets say to each other what they hear, until one ends; then both do. Both are in `open` while they are. */
export function joinSockets(client: Socket, upstream: Socket, open: Set<Socket>): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    open.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      to.destroy();
    });
  }
}
