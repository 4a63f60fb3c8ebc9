import type { AnyActorType, AnyMessageDefinition } from "../../actor/any-actor.ts";
import { SKIP_TICK } from "../../actor/control-messages.ts";
import { RefusedError } from "../../message/errors.ts";
import type { Probe } from "../../ports/probe.ts";
import type { TurnEndEntry } from "./history.ts";
import { type NodeLife, never } from "./node-life.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a handler is given, as far as the history wants to know. */
interface Seen {
  readonly key: string;
  readonly state: unknown;
  readonly exists: boolean;
}

/** The actor type as one node gets it: the same, but its turns and queries are noted. */
export function watchedActor(type: AnyActorType, life: NodeLife, world: Surroundings): AnyActorType {
  const messages: Record<string, AnyMessageDefinition> = {};
  for (const [name, definition] of Object.entries(type.messages)) {
    const handle = definition.kind === "query" ? watchedQuery : watchedCommand;
    messages[name] = { ...definition, handle: handle(type.type, name, definition, life, world) };
  }
  return { ...type, messages };
}

function watchedQuery(
  type: string,
  message: string,
  definition: AnyMessageDefinition,
  life: NodeLife,
  world: Surroundings,
) {
  return (c: Seen, input: never): unknown => {
    const state = stateText(c);
    const reply = definition.handle(c as never, input);
    if (life.alive) {
      const text = reply === undefined ? null : (JSON.stringify(reply) ?? null);
      world.note({ kind: "query", node: life.id, actor: `${type}/${c.key}`, message, state, reply: text });
    }
    return reply;
  };
}

function watchedCommand(
  type: string,
  message: string,
  definition: AnyMessageDefinition,
  life: NodeLife,
  world: Surroundings,
) {
  return (c: Seen, input: never): unknown => {
    const turn = ++world.turns;
    const actor = `${type}/${c.key}`;
    if (life.alive) world.note({ kind: "turn", turn, node: life.id, actor, message, state: stateText(c) });
    if (world.crashesAt("in-turn", life, () => [actor], message)) return never();
    const ended = (outcome: TurnEndEntry["outcome"]): void => {
      if (!life.alive) return;
      if (outcome === "done") life.ended.set(actor, turn);
      world.note({ kind: "turn-end", turn, actor, outcome });
    };
    const failed = (error: unknown): never => {
      ended(error instanceof RefusedError ? "refused" : "failed");
      throw error;
    };
    let reply: unknown;
    try {
      reply = definition.handle(c as never, input);
    } catch (error) {
      return failed(error);
    }
    if (reply instanceof Promise) {
      return reply.then((value: unknown) => {
        ended("done");
        return value;
      }, failed);
    }
    ended("done");
    return reply;
  };
}

/** Notes what only the inside of a node sees: mailboxes, and turns on their way to the commit. */
export function watchingProbe(life: NodeLife, world: Surroundings): Probe {
  return {
    delivered({ type, key, message }, depth) {
      if (life.alive) world.note({ kind: "delivered", node: life.id, actor: `${type}/${key}`, message, depth });
    },
    finished(finished) {
      if (!life.alive) return;
      const { activation, envelope, version, unchanged, state, effects, timers, at } = finished;
      const actor = `${activation.id.type}/${activation.id.key}`;
      const { origin, callers, traceparent } = envelope;
      // A tick that is skipped has a turn without a handler that would be noted.
      const skipped = envelope.message === SKIP_TICK;
      if (skipped) {
        const turn = ++world.turns;
        world.note({ kind: "turn", turn, node: life.id, actor, message: envelope.message, state: state ?? null });
        world.note({ kind: "turn-end", turn, actor, outcome: "done" });
        life.ended.set(actor, turn);
      }
      const turn = life.ended.get(actor) ?? 0;
      if (unchanged) life.unchanged.set(finished, turn);
      world.note({
        kind: "finished",
        turn,
        node: life.id,
        actor,
        message: envelope.message,
        version,
        ...(unchanged && { unchanged }),
        state: state ?? null,
        id: envelope.id ?? null,
        call: origin.kind === "call" && callers.length === 0 ? callOf(traceparent) : null,
        timer: origin.kind === "timer" ? { name: origin.name, dueAt: origin.dueAt, now: at } : null,
        effects: (effects ?? []).map(({ id }) => id),
        timers: [...(timers?.values() ?? [])].map(({ name, dueAt }) => ({ name, dueAt: dueAt ?? null })),
      });
    },
    committing(turns) {
      life.committingUnchanged = turns.flatMap((turn) => life.unchanged.get(turn) ?? []);
    },
  };
}

/** A trace context that tells a client's call apart. */
export function traceOf(call: number): string {
  return `00-${call.toString(16).padStart(32, "0")}-00000000000000ff-01`;
}

function callOf(traceparent: string | undefined): number | null {
  return traceparent === undefined ? null : Number.parseInt(traceparent.slice(3, 35), 16);
}

function stateText({ state, exists }: Seen): string | null {
  return exists ? JSON.stringify(state) : null;
}
