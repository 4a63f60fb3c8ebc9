/**
 * Free loopback ports that two runs never both take: a port is locked for the user before it is tried, and stays locked until
 * it is given back, so the time between choosing it and the server listening on it is covered too.
 */
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { cacheDir } from "./cache.ts";
import { type Lock, tryLock } from "./lock.ts";

/** Below the range from which systems take the ports of outgoing connections, which could be anywhere at any time. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** The ports one stack holds. */
export class Ports implements Disposable {
  readonly #locks = new Map<number, Lock>();
  readonly #preferUsual: boolean;

  /** @param preferUsual whether {@link pick} tries the usual port first. */
  constructor(preferUsual = true) {
    this.#preferUsual = preferUsual;
  }

  /** A port nobody listens on and no other run has picked. Throws when 200 tries found none. */
  async pick(usual: number): Promise<number> {
    if (this.#preferUsual && (await this.#take(usual))) return usual;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
      if (await this.#take(port)) return port;
    }
    throw new Error(`Cannot find a free port between ${LOWEST} and ${HIGHEST}: tried ${ATTEMPTS}`);
  }

  /** The first free port at or above `first`. Throws when the next 200 are all taken. */
  async pickFrom(first: number): Promise<number> {
    for (let port = first; port < first + ATTEMPTS && port <= 65_535; port++) if (await this.#take(port)) return port;
    throw new Error(`Cannot find a free port from ${first} on: tried ${ATTEMPTS}`);
  }

  /** Gives all ports back. */
  [Symbol.dispose](): void {
    for (const lock of this.#locks.values()) lock.release();
    this.#locks.clear();
  }

  async #take(port: number): Promise<boolean> {
    if (this.#locks.has(port)) return false;
    const lock = tryLock(join(cacheDir(), "locks", "ports", String(port)));
    if (lock === undefined) return false;
    if (await isFree(port)) {
      this.#locks.set(port, lock);
      return true;
    }
    lock.release();
    return false;
  }
}

/** Whether nothing listens on this loopback port, neither on loopback alone nor on every address. */
export async function isFree(port: number): Promise<boolean> {
  // Some systems let a loopback listener stand beside one on all addresses, hence the connect.
  return (await canListen(port)) && !(await answers(port));
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.setTimeout(500, () => done(false));
  });
}
