/**
 * Sockets that belong to an actor: what somebody who is connected sends is a durable turn, and the actor sends to whoever is
 * connected to it.
 *
 * Owns: the commands that a connection is to its actor. Does not own: the connection itself, or its place in memory, which is
 * where it came in (`infra/door/channel.ts`); an actor that sleeps or moves takes none of its sockets along.
 *
 * K1 Connecting, each message, and closing are turns of the actor: what they change, send and answer leaves after their commit.
 * K2 The state of a socket goes with each of its messages and comes back with the reply, so that it lasts as long as the
 *    socket and costs a sleeping actor nothing.
 * K3 `onClose` runs once for each socket that was connected, also when the process that held it died: a timer of the actor
 *    sees to it, {@link LEASE_MS} after that process was heard of last.
 */
import * as v from "valibot";
import { exactJson } from "../message/exact-json.ts";
import type { AnyMessageDefinition, AnySockets, Schema } from "./any-actor.ts";
import type { TurnContext } from "./context.ts";
import type { Socket } from "./sockets.ts";

/** The commands of a type with sockets. */
export const CONNECT = "$connect";
export const RECEIVE = "$receive";
export const KEEP = "$keep";
export const CLOSE = "$close";

/** After this long without a word of its process a socket is taken for closed. */
export const LEASE_MS = 15 * 60_000;

/** What the turn of a socket is given. */
export interface SocketInput {
  readonly socket: string;
  readonly caller: string;
  /** What the last turn of the socket made of its state. */
  readonly state?: unknown;
  readonly data?: unknown;
}

/** What the turn of a socket answers. */
export interface SocketReply {
  readonly state?: unknown;
  /** What is sent to the socket, in order, as JSON texts. */
  readonly out: readonly string[];
  /** The actor closes the socket. */
  readonly close: boolean;
}

type Context = TurnContext<unknown, never>;

/** The commands that make a type's sockets. */
export function socketCommands(sockets: AnySockets): Readonly<Record<string, AnyMessageDefinition>> {
  const state = sockets.state ?? v.optional(v.unknown());
  const base = { socket: v.string(), caller: v.string() };
  const run = async (
    c: Context,
    input: SocketInput,
    handle: ((c: never, socket: never, data: never) => unknown) | undefined,
  ): Promise<{ readonly reply: SocketReply; readonly changed: boolean }> => {
    const before = exactJson(input.state, "the state of a socket");
    const socket = new TurnSocket(input, sockets.out);
    await handle?.(c as never, socket as never, input.data as never);
    const reply = {
      ...(socket.state !== undefined && { state: socket.state }),
      out: socket.sent,
      close: socket.closes,
    };
    return { reply, changed: before !== exactJson(socket.state, "the state of a socket") };
  };
  const timerOf = ({ socket }: SocketInput): string => `$socket:${socket}`;
  const keep = (c: Context, { socket, caller }: SocketInput, last: unknown): void => {
    if (sockets.onClose === undefined) return;
    const kept = { socket, caller, ...(last !== undefined && { state: last }) };
    c.timers.set(timerOf(kept), { in: LEASE_MS, send: CLOSE, with: kept }); // ActorSockets.K3
  };
  return {
    [CONNECT]: command(v.object({ ...base, data: sockets.with ?? v.optional(v.unknown()) }), async (c, input) => {
      const first = { ...input, state: sockets.initial?.() };
      const { reply } = await run(c, first, sockets.onConnect);
      keep(c, input, reply.state);
      return reply;
    }),
    [RECEIVE]: command(v.object({ ...base, state, data: sockets.in ?? v.unknown() }), async (c, input) => {
      const { reply, changed } = await run(c, input, sockets.onMessage);
      if (changed) keep(c, input, reply.state);
      return reply;
    }),
    [KEEP]: command(v.object({ ...base, state }), async (c, input) => {
      const close = sockets.onClose !== undefined && (await c.timers.get(timerOf(input))) === undefined;
      if (!close) keep(c, input, input.state);
      return { ...(input.state !== undefined && { state: input.state }), out: [], close };
    }),
    [CLOSE]: command(v.object({ ...base, state }), async (c, input) => {
      // Whoever comes first runs it: the one who held the socket, or the timer. ActorSockets.K3
      if (sockets.onClose === undefined || (await c.timers.get(timerOf(input))) === undefined) return NOTHING;
      c.timers.cancel(timerOf(input));
      await run(c, input, sockets.onClose);
      return NOTHING;
    }),
  };
}

const NOTHING: SocketReply = { out: [], close: true };

function command(
  input: Schema,
  handle: (c: Context, input: SocketInput) => Promise<SocketReply>,
): AnyMessageDefinition {
  return { kind: "command", in: input, out: undefined, handle };
}

/** A socket as its turn sees it. */
class TurnSocket implements Socket<unknown, unknown> {
  readonly id: string;
  readonly caller: string;
  state: unknown;
  readonly sent: string[] = [];
  closes = false;
  readonly #out: Schema | undefined;

  constructor({ socket, caller, state }: SocketInput, out: Schema | undefined) {
    this.id = socket;
    this.caller = caller;
    // The input may be needed again, for another try.
    this.state = structuredClone(state);
    this.#out = out;
  }

  send(data: unknown): void {
    this.sent.push(textOf(this.#out, data));
  }

  close(): void {
    this.closes = true;
  }
}

/** What is sent to a socket, as JSON. @throws {ValiError} it is not what the type says. */
export function textOf(schema: Schema | undefined, data: unknown): string {
  const said: unknown = schema === undefined ? data : v.parse(schema, data);
  return exactJson(said, "what is sent to a socket") ?? "null";
}
