import type { Msg, Subscription } from "@nats-io/transport-node";
import { errors } from "@nats-io/transport-node";
import { type Envelope, type Log, type Transport, TroupeError, type WireReply } from "#runtime";
import type { NatsLink } from "./connection.ts";
import { NODE_SUBJECT_PREFIX, nodeSubject } from "./subjects.ts";

/** Options of {@link natsTransport}. */
export interface NatsTransportOptions {
  /** Shared; stays open when the transport is closed. */
  readonly connection: NatsLink;
  readonly log: Log;
  /** Nodes of one cluster share it, other clusters do not. @default "troupe.node" */
  readonly subjectPrefix?: string;
  /** Milliseconds `serve` waits for the connection. @default 10_000 */
  readonly connectMs?: number;
}

/**
 * Calls between nodes as NATS requests: at most once, JSON both ways, one subject per node.
 *
 * `call` throws a {@link TroupeError}: `unavailable` at once when nobody serves that node or NATS is away: then the
 * message was certainly not handled; `deadline_exceeded` when the connection drops on the way or no reply comes within
 * `envelope.timeoutMs`: then the turn may have been made all the same.
 *
 * @example
 * ```ts
 * const connection = connectNats({ url: "nats://localhost:4222", log: silentLog });
 * const transport = natsTransport({ connection, log: silentLog });
 * const node = await createTroupe({
 *   actors: [Counter],
 *   stores: { default: postgresStore("postgres://localhost/app") },
 *   transport,
 * });
 * ```
 */
export function natsTransport(options: NatsTransportOptions): Transport {
  const { connection, log, connectMs = 10_000 } = options;
  const prefix = options.subjectPrefix ?? NODE_SUBJECT_PREFIX;
  const served: Subscription[] = [];

  return {
    async serve(node, handle) {
      const subject = nodeSubject(node, prefix);
      await connection.ready(connectMs);
      await connection.use(`serve ${subject}`, connectMs, async (client) => {
        // The client subscribes again by itself after each reconnect.
        const subscription = client.subscribe(subject, {
          callback: (error, message) => {
            if (error !== null) log("error", "transport:failed", { subject, reason: error.message });
            else void answer(message, handle, log);
          },
        });
        served.push(subscription);
        // Known to the server before anybody is told that this node is here.
        await client.flush();
      });
    },

    async call(node, envelope) {
      const what = `call ${envelope.type}/${envelope.key} on node ${node}`;
      const subject = nodeSubject(node, prefix);
      const body = JSON.stringify(envelope);
      // Known before anything is sent: then, and only then, the caller may be told that nothing happened.
      if (!connection.connected)
        throw new TroupeError("unavailable", `Cannot ${what} as NATS at ${connection.address} is not connected`);
      try {
        const reply = await connection.use(what, envelope.timeoutMs, (client) =>
          client.request(subject, body, { timeout: envelope.timeoutMs }),
        );
        return reply.json<WireReply>();
      } catch (error) {
        throw callError(error, what);
      }
    },

    async close() {
      const open = served.splice(0).filter((subscription) => !subscription.isClosed());
      await Promise.allSettled(open.map((subscription) => subscription.drain()));
    },
  };
}

async function answer(message: Msg, handle: (envelope: Envelope) => Promise<WireReply>, log: Log): Promise<void> {
  let envelope: Envelope;
  try {
    envelope = message.json<Envelope>();
  } catch {
    // Not from a node. No reply: the sender's deadline is its answer.
    log("warn", "transport:unreadable", { subject: message.subject, sizeBytes: message.data.length });
    return;
  }
  const reply = await handle(envelope);
  try {
    message.respond(JSON.stringify(reply));
  } catch (error) {
    // Larger than NATS carries. The turn is made; the same id gets the same answer on the owner's own node.
    log("error", "transport:unsendable", { subject: message.subject, reason: String(error) });
    const failure: WireReply = {
      kind: "error",
      error: {
        code: "deadline_exceeded",
        message: `Cannot carry the reply of ${envelope.message} to another node as NATS refused it`,
      },
    };
    message.respond(JSON.stringify(failure));
  }
}

function callError(error: unknown, what: string): TroupeError {
  const cause = { cause: error };
  if (error instanceof errors.NoRespondersError || (error instanceof errors.RequestError && error.isNoResponders())) {
    return new TroupeError("unavailable", `Cannot ${what} as nobody serves it`, cause);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new TroupeError(
    "deadline_exceeded",
    `Cannot ${what}: no reply came (${why}); it may have been handled`,
    cause,
  );
}
