import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import type { CloudEvent } from "./cloud-event.ts";

/** Every event now in a stream, in its order; none where there is no stream yet. */
export async function readStream(url: string, stream: string): Promise<CloudEvent[]> {
  const connection = await connect(optionsOf(url));
  try {
    const manager = await jetstreamManager(connection);
    const info = await manager.streams.info(stream).catch(() => undefined);
    const events: CloudEvent[] = [];
    if (info === undefined || info.state.messages === 0) return events;
    const consumer = await jetstream(connection).consumers.get(stream); // ordered: nothing is lost or doubled on the way
    for await (const message of await consumer.consume()) {
      events.push(message.json<CloudEvent>());
      if (message.seq >= info.state.last_seq) break;
    }
    return events;
  } finally {
    await connection.close();
  }
}

/** Removes a stream. */
export async function removeStream(url: string, stream: string): Promise<void> {
  const connection = await connect(optionsOf(url));
  try {
    await (await jetstreamManager(connection)).streams.delete(stream);
  } finally {
    await connection.close();
  }
}

function optionsOf(url: string): { servers: string; user?: string; pass?: string } {
  const { host, username, password } = new URL(url);
  return {
    servers: host,
    ...(username === "" ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
  };
}
