import type { AMQPChannel } from "@cloudamqp/amqp-client";

/** The inside of the library's channel: what waits for its confirm, by delivery tag. */
interface Confirms {
  readonly unconfirmedPublishes: [tag: number, resolve: (tag: number) => void, reject: (error: Error) => void][];
  publishConfirmed(tag: number, multiple: boolean, nack: boolean): void;
}

/** How a nack ends a publish: the library's only word for it. */
export const NACKED = "Message rejected";

/**
 * Makes a channel settle everything up to a tag that is confirmed with `multiple`. The library looks for that very tag, and
 * settles nothing where it was settled before: an ack of many, up to a message that was nacked, is lost on it.
 */
export function settleConfirmsInOrder(channel: AMQPChannel): void {
  const confirms = channel as unknown as Confirms;
  confirms.publishConfirmed = (tag, multiple, nack) => {
    const waiting = confirms.unconfirmedPublishes;
    // They stand in the order of their tags.
    const from = multiple ? 0 : waiting.findIndex(([own]) => own >= tag);
    const to = waiting.findIndex(([own]) => own > tag);
    if (from < 0) return;
    for (const [own, resolve, reject] of waiting.splice(from, (to < 0 ? waiting.length : to) - from)) {
      if (nack) reject(new Error(NACKED));
      else resolve(own);
    }
  };
}
