import { newId } from "../base/ids.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId } from "../ports/store.ts";
import type { AnyActorType, AnyMessageDefinition } from "./any-actor.ts";

/**
 * Messages of the runtime itself. They travel as any message does, so that they find the node that owns the actor, and
 * are handled by the store host there. An actor cannot declare a message whose name begins with `$`.
 */
const CONTROLS = ["$pause", "$resume", "$reload", "$inspect", "$publish"] as const;

/** The name of a control message. */
export type Control = (typeof CONTROLS)[number];

/** The name of the command that handles a tick by doing nothing, so that its timer moves on. */
export const SKIP_TICK = "$skip";

const SKIP: AnyMessageDefinition = { kind: "command", in: undefined, out: undefined, handle: () => undefined };

/** Whether a message is a control message. The name alone does not make one: callers give names. */
export function isControlEnvelope({ origin, message }: Envelope): boolean {
  return origin.kind === "control" && (CONTROLS as readonly string[]).includes(message);
}

/** The envelope of a control message. It carries an id, as every control message may be repeated. */
export function controlEnvelope({ type, key }: ActorId, message: Control, input: unknown): Envelope {
  return {
    type,
    key,
    message,
    input,
    id: newId("ctl"),
    origin: { kind: "control" },
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs: 30_000,
  };
}

/** The definition of a message that an actor handles; `undefined` for control messages. */
export function messageOf(type: AnyActorType, message: string): AnyMessageDefinition | undefined {
  return type.messages[message] ?? (message === SKIP_TICK ? SKIP : undefined);
}
