import { createServer, connect, type Socket } from "node:net";
import { joinSockets } from "#infra/testing/join-sockets.ts";

/** Servers of this machine that are reached at another of its addresses as well. */
export interface ServersAt extends AsyncDisposable {
  /** The same variables, with the other address in place of loopback. */
  readonly environment: Readonly<Record<string, string>>;
}

const LOOPBACK = /127\.0\.0\.1:(\d+)/g;

/** Opens a way from `address` to every server that variables name on loopback: for containers, that come from a bridge. */
export async function serversAt(address: string, variables: Readonly<Record<string, string>>): Promise<ServersAt> {
  await using stack = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  for (const value of Object.values(variables))
    for (const [, port = ""] of value.matchAll(LOOPBACK))
      if (!ports.has(port)) ports.set(port, await wayTo(Number(port), address, stack));
  const ways = stack.move();
  return {
    environment: Object.fromEntries(
      Object.entries(variables).map(([name, value]) => [
        name,
        value.replaceAll(LOOPBACK, (_, port: string) => `${address}:${ports.get(port)}`),
      ]),
    ),
    [Symbol.asyncDispose]: () => ways.disposeAsync(),
  };
}

async function wayTo(port: number, address: string, stack: AsyncDisposableStack): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    joinSockets(client, upstream, open);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, address, resolve);
  });
  stack.defer(async () => {
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as { port: number }).port;
}
