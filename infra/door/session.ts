/**
 * Calls and streams over one socket, whatever the host calls a socket.
 *
 * Owns: the calls under way and the streams of each session, its signs of life. Does not own: the socket (`SocketLine`, made by
 * `socket-hosts.ts`), who gets one (`sockets.ts`), what a call does (`core.ts`). Calls in: `message`, `closed`. Calls out: `SocketLine`, `Door`.
 *
 * S1 Bounded: calls, streams, frames, and what waits for a client that does not read. What is over a limit is answered where
 *    it has an id, and ends the session where it has none.
 * S2 A stream sends no more than its client has room for, and meets the newest state when there is room again.
 * S3 Each call and stream is authorized by itself, as the one who was named before it came.
 * S4 A session whose client says nothing for four signs of life ends, and all it had under way with it.
 */
import { parseJson } from "../http/json-text.ts";
import { traceFrom } from "../http/trace.ts";
import { Channel } from "./channel.ts";
import type { Ask, Connect, Door } from "./core.ts";
import type { EventRow } from "./event-stream.ts";
import { doorProblem, type Failure } from "./failure.ts";
import { eventText, failureText, type Frame, frameOf, replyText, saidText, WINDOW } from "./frames.ts";
import type { SocketLimits } from "./options.ts";
import type { DoorSession, SessionHooks, SocketLine } from "./socket-line.ts";

/** Signs of life that may be missing. */
const PATIENCE = 4;
/** Frames that wait while it is found out who their client is. */
const MAX_HELD = 256;
/** Characters of a frame over the limit of a body, which its names and members take. */
const FRAME_ROOM = 4_096;

interface Stream {
  readonly type: string;
  /** Events that may be sent. */
  room: number;
  /** There is room again, or it is over. */
  wake: (() => void) | undefined;
  over: boolean;
  row: EventRow | undefined;
}

/** One socket. */
export class SocketSession implements DoorSession {
  readonly #door: Door;
  readonly #limits: Required<SocketLimits>;
  readonly #line: SocketLine;
  readonly #over: () => void;
  readonly #hooks: SessionHooks;
  readonly #left: () => void;
  readonly #calls = new Map<number, AbortController>();
  readonly #streams = new Map<number, Stream>();
  readonly #beat: ReturnType<typeof setInterval>;
  /** What `authorize` sees: the request that opened the socket, or one with the name that was given since. */
  #request: Request;
  /** What came while it is found out who the client is. */
  #held: unknown[] | undefined;
  #silent = 0;
  #open = true;

  /** @param request one that the host does not take back once it is a socket. */
  constructor(
    door: Door,
    limits: Required<SocketLimits>,
    request: Request,
    line: SocketLine,
    over: () => void,
    hooks: SessionHooks = {},
  ) {
    this.#door = door;
    this.#limits = limits;
    this.#line = line;
    this.#over = over;
    this.#hooks = hooks;
    this.#request = request;
    this.#left = door.opened(() => this.#end(1001, "The door closes: come back"));
    this.#beat = setInterval(() => this.#live(), door.heartbeatMs);
  }

  message(data: unknown): void {
    if (!this.#open) return;
    this.#silent = 0;
    if (this.#held !== undefined) {
      if (this.#held.push(data) > MAX_HELD) this.#end(1008, "Too much came before its name was known");
      return;
    }
    if (typeof data !== "string") return this.#end(1003, "Only texts are read");
    if (this.#line.unreadBytes() > this.#limits.maxUnreadBytes) return this.#end(1013, "Too much was not read"); // SocketSession.S1
    if (data.length > this.#door.maxBodyBytes + FRAME_ROOM) return this.#end(1009, "The frame is too large");
    let frame: Frame | undefined;
    try {
      frame = frameOf(parseJson(data));
    } catch {
      frame = undefined;
    }
    if (frame === undefined) return this.#end(1008, "This is no frame");
    this.#take(frame);
  }

  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    clearInterval(this.#beat);
    for (const call of this.#calls.values()) call.abort();
    for (const stream of this.#streams.values()) finish(stream);
    this.#left();
    this.#over();
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "alive":
        return;
      case "auth":
        return this.#name(frame.token);
      case "call":
        if (this.#taken(frame.id)) return this.#end(1008, "This id is in use");
        return void this.#call(frame.id, frame.ask);
      case "watch":
        if (this.#taken(frame.id)) return this.#end(1008, "This id is in use");
        return void this.#stream(frame.id, frame.follow.type, () => this.#door.follow(frame.follow, this.#request));
      case "connect":
        if (this.#taken(frame.id)) return this.#end(1008, "This id is in use");
        return void this.#stream(
          frame.id,
          frame.connect.type,
          () => this.#connect(frame.id, frame.connect),
          (channel) => this.#door.readmit(frame.connect, this.#request, channel),
        );
      case "say":
        return void this.#hear(frame.id, frame.n, frame.data);
      case "take": {
        const stream = this.#streams.get(frame.id);
        if (stream === undefined) return;
        stream.room = Math.min(WINDOW, stream.room + frame.events);
        stream.wake?.();
        return;
      }
      case "cancel": {
        this.#calls.get(frame.id)?.abort();
        const stream = this.#streams.get(frame.id);
        if (stream !== undefined) finish(stream);
      }
    }
  }

  /** SocketSession.S3 */
  #name(token: string | undefined): void {
    if (this.#hooks.name !== undefined) return void this.#nameBy(this.#hooks.name(token));
    const headers = new Headers(this.#request.headers);
    headers.delete("authorization");
    try {
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    } catch {
      return this.#end(1008, "This is no token");
    }
    this.#request = new Request(this.#request.url, { headers });
  }

  async #nameBy(naming: Promise<Request | undefined>): Promise<void> {
    this.#held = [];
    let named: Request | undefined;
    try {
      named = await naming;
    } catch {
      return this.#end(1013, "Who asks cannot be told now");
    }
    if (named === undefined) return this.#end(1008, "This key is not good");
    this.#request = named;
    const held = this.#held;
    this.#held = undefined;
    for (const data of held) this.message(data); // another name among them makes the rest wait again
  }

  async #call(id: number, ask: Ask): Promise<void> {
    const { traceId, traceparent } = traceFrom(null);
    const stop = new AbortController();
    let text: string;
    try {
      if (this.#calls.size >= this.#limits.maxCalls) {
        throw doorProblem("calls.full", "Too many calls of this socket are under way: try again", { retryAfter: 1 });
      }
      this.#calls.set(id, stop);
      text = replyText(id, await this.#door.call(ask, this.#request, traceparent, stop.signal));
    } catch (error) {
      text = failureText(id, this.#door.failure(error, ask.type, traceId));
    }
    if (this.#calls.get(id) === stop) this.#calls.delete(id);
    this.#say(text);
  }

  /**
   * Sends the events of a row, for as long as a yes lasts: then the client asks again, or where `keep` is given the door does.
   */
  async #stream<Row extends EventRow>(
    id: number,
    type: string,
    begin: () => Promise<Row>,
    keep?: (row: Row) => Promise<void>,
  ): Promise<void> {
    const stream: Stream = { type, room: WINDOW, wake: undefined, over: false, row: undefined };
    let life: ReturnType<typeof setInterval> | undefined;
    let refusal: { readonly error: unknown } | undefined;
    let text = `{"id":${id},"end":true}`;
    try {
      if (this.#streams.size >= this.#limits.maxStreams) {
        throw doorProblem("streams.full", "Too many streams of this socket are open: try again", { retryAfter: 1 });
      }
      this.#streams.set(id, stream);
      const row = await begin();
      stream.row = row;
      if (stream.over) row.stop();
      const refused = (error: unknown): void => {
        refusal = { error };
        finish(stream);
      };
      life = setInterval(() => {
        if (keep === undefined) finish(stream);
        else keep(row).catch(refused);
      }, this.#door.lifeMs);
      await this.#run(id, stream, row);
      if (refusal !== undefined) throw (refusal as { readonly error: unknown }).error;
    } catch (error) {
      text = failureText(id, this.#door.failure(error, type, traceFrom(null).traceId));
    }
    clearInterval(life);
    finish(stream);
    if (this.#streams.get(id) === stream) this.#streams.delete(id);
    this.#say(text);
  }

  async #connect(id: number, connect: Connect): Promise<Channel> {
    const channel = await this.#door.connect(connect, this.#request);
    this.#say(`{"id":${id},"connected":true}`);
    return channel;
  }

  /** A message over a socket of an actor. */
  async #hear(id: number, n: number, data: unknown): Promise<void> {
    const { row: channel, type = "socket" } = this.#streams.get(id) ?? {};
    let failure: Failure | undefined;
    try {
      if (!(channel instanceof Channel)) throw doorProblem("cancelled", "The socket is closed");
      if (channel.waiting >= this.#limits.maxCalls) {
        throw doorProblem("calls.full", "Too many messages of this socket wait: try again", { retryAfter: 1 });
      }
      await this.#hooks.said?.();
      await channel.say(data);
    } catch (error) {
      failure = this.#door.failure(error, type, traceFrom(null).traceId);
    }
    this.#say(saidText(id, n, failure));
  }

  /** SocketSession.S2 */
  async #run(id: number, stream: Stream, row: EventRow): Promise<void> {
    while (!stream.over) {
      if (stream.room === 0) {
        await new Promise<void>((resolve) => (stream.wake = resolve));
        stream.wake = undefined;
        continue;
      }
      const event = await row.next();
      if (event === undefined || stream.over) return;
      stream.room--;
      this.#say(eventText(id, event));
      row.sent();
    }
  }

  #taken(id: number): boolean {
    return this.#calls.has(id) || this.#streams.has(id);
  }

  /** SocketSession.S4 */
  #live(): void {
    if (this.#silent++ >= PATIENCE) return this.#end(1001, "Nothing came for too long");
    if (this.#line.unreadBytes() > this.#limits.maxUnreadBytes) return this.#end(1013, "Too much was not read");
    this.#say("{}");
  }

  #say(text: string): void {
    if (this.#open) this.#line.send(text);
  }

  #end(code: number, reason: string): void {
    if (!this.#open) return;
    this.closed();
    this.#line.close(code, reason);
  }
}

function finish(stream: Stream): void {
  stream.over = true;
  stream.row?.stop();
  stream.wake?.();
}
