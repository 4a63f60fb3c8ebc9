import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { joinSockets } from "#infra/testing/join-sockets.ts";

/** A unix socket that leads to another one, until it is cut. */
export interface CuttableSocket extends AsyncDisposable {
  /** As in `unix:///tmp/…`. */
  readonly host: string;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  /** Lets connections through again. */
  mend(): void;
}

/** Puts a cuttable socket before the one at `target` (`unix:///…`): an engine that goes away and comes back. */
export async function cuttableSocket(target: string): Promise<CuttableSocket> {
  const path = join(tmpdir(), `cut-${crypto.randomUUID().slice(0, 8)}.sock`);
  const open = new Set<Socket>();
  let whole = true;
  const server = createServer((client) => {
    if (!whole) return void client.destroy();
    const upstream = connect(target.replace("unix://", ""));
    joinSockets(client, upstream, open);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const cut = (): void => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  return {
    host: `unix://${path}`,
    cut,
    mend: () => void (whole = true),
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(path, { force: true });
    },
  };
}
