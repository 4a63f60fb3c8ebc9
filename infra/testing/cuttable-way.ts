import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { joinSockets } from "./join-sockets.ts";

/** A way to a server that can be cut, as when a cable is pulled. */
export interface CuttableWay {
  /** Where it begins: `127.0.0.1:port`. */
  readonly address: string;
  /** Ends every connection, and refuses new ones for ever. */
  cut(): void;
}

/** Opens a way to `address`, on a free port. */
export async function cuttableWay(address: string): Promise<CuttableWay> {
  const [host = "", port = ""] = address.split(":");
  const open = new Set<Socket>();
  const server = createServer((client) => joinSockets(client, connect(Number(port), host), open));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}
