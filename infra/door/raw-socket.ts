/** A socket of a door by hand, frame by frame, for the suites. */
import type { ClientSocket } from "../client/mod.ts";
import { until } from "../testing/checks.ts";
import type { Bench } from "./door-bench.ts";

/** A frame, as it came. */
export type Frame = Readonly<Record<string, unknown>>;

/** A socket by hand: what came, and with which code it closed. */
export class RawSocket {
  readonly came: Frame[] = [];
  readonly socket: ClientSocket;
  closed: number | undefined;
  beats = 0;

  constructor({ url, webSocket }: Bench) {
    this.socket = webSocket(`${url.replace(/^http/u, "ws")}/socket`);
    this.socket.addEventListener("message", ({ data }) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (frame["id"] === undefined) this.beats++;
      else this.came.push(frame);
    });
    this.socket.addEventListener("close", ({ code }) => (this.closed = code));
  }

  async opened(): Promise<this> {
    let open = false;
    this.socket.addEventListener("open", () => (open = true));
    await until(() => Promise.resolve(open));
    return this;
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  async answer(id: number): Promise<Frame> {
    let found: Frame | undefined;
    await until(() => Promise.resolve((found = this.came.find((frame) => frame["id"] === id)) !== undefined));
    return found ?? {};
  }

  async code(): Promise<number | undefined> {
    await until(() => Promise.resolve(this.closed !== undefined));
    return this.closed;
  }
}
