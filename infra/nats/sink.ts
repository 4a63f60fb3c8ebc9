import { jetstreamManager } from "@nats-io/jetstream";
import type { Sink } from "#runtime";
import type { ClientTls } from "../base/tls.ts";
import { connectNats, type NatsLink } from "./connection.ts";
import { EventPublisher, type EventPublisherOptions, GROUP_SIZE } from "./event-publisher.ts";

/** Options of {@link natsSink}: a connection that is shared, or the address for one of its own. */
export type NatsSinkOptions = EventPublisherOptions & {
  /** Records per `publish` call; each 900 are one atomic batch, side by side. @default 3_600 */
  readonly maxBatch?: number;
} & (
    | { /** Shared; stays open. */ readonly connection: NatsLink }
    | { /** A connection of the sink's own; closed with it. */ readonly url: string; readonly tls?: ClientTls }
  );

/**
 * The sink `nats`: events go to the JetStream stream `EVENTS`, in order per target, deduplicated by id.
 *
 * `publish` rejects with {@link NatsUnavailableError} when the broker is away, and with the broker's own words when it
 * refuses for now; then the whole call may be tried again. A record over the broker's size limit, or with a type that
 * gives no subject, is `refused`; the others go on.
 *
 * @example
 * ```ts
 * const sinks = [natsSink({ url: "nats://localhost:4222", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function natsSink(options: NatsSinkOptions): Sink {
  const own =
    "url" in options
      ? connectNats({ url: options.url, tls: options.tls, log: options.log, name: "troupe-sink" })
      : undefined;
  const link = "url" in options ? (own as NatsLink) : options.connection;
  const publisher = new EventPublisher(link, options);
  return {
    name: "nats",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 4 * GROUP_SIZE },
    publish: (records) => publisher.publish(records),
    check: () =>
      link.use("check JetStream", 2_000, async (client) => {
        await (await jetstreamManager(client, { timeout: 2_000, checkAPI: false })).getAccountInfo();
      }),
    close: async () => own?.close(),
  };
}
