import type { AnySockets } from "../actor/any-actor.ts";
import type { ActorSockets, TurnContext } from "../actor/context.ts";
import { textOf } from "../actor/socket-commands.ts";
import { socketTopic } from "../topics/socket-topic.ts";

/** What an actor broadcasts to its sockets. */
export interface SocketBroadcast {
  readonly key: string;
  /** The one socket it is for. */
  readonly to?: string;
  /** The one socket it is not for. */
  readonly except?: string;
  readonly data: unknown;
}

/** The sockets of an actor, as any of its turns sees them. */
export function socketsOf(
  c: Pick<TurnContext<unknown, never>, "broadcast" | "key">,
  type: string,
  sockets: AnySockets | undefined,
): ActorSockets {
  const tell = (data: unknown, whom: { readonly to?: string; readonly except?: string }): void => {
    if (sockets === undefined) throw new TypeError(`Cannot send to the sockets of ${type} as it declares none`);
    const broadcast: SocketBroadcast = { key: c.key, ...whom, data: JSON.parse(textOf(sockets.out, data)) };
    c.broadcast(socketTopic(type, c.key), "sent", broadcast);
  };
  return {
    broadcast: (data, { except } = {}) => tell(data, except === undefined ? {} : { except }),
    send: (to, data) => tell(data, { to }),
  };
}
