import type { Msg } from "@nats-io/transport-node";

/** What JetStream answered to a publish. */
export type PublishAck =
  /** On disk. `count`: the messages of the batch, 0 outside of one. */
  | { readonly kind: "stored"; readonly count: number; readonly duplicate: boolean }
  /** Not taken. `code` is JetStream's `err_code`. */
  | { readonly kind: "rejected"; readonly code: number; readonly detail: string };

/** `err_code` of a message over the stream's own size limit (`max_msg_size`). */
export const MESSAGE_TOO_LARGE = 10054;

/** @throws {Error} the answer is not one of JetStream's. */
export function readPublishAck(message: Msg): PublishAck {
  const answer = message.json<{
    readonly stream?: string;
    readonly count?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly err_code?: number; readonly description?: string };
  } | null>();
  if (answer?.error !== undefined) {
    return {
      kind: "rejected",
      code: answer.error.err_code ?? 0,
      detail: answer.error.description ?? "no reason given",
    };
  }
  if (answer?.stream === undefined || answer.stream === "")
    throw new Error("Cannot read the answer of JetStream as it names no stream");
  return { kind: "stored", count: answer.count ?? 0, duplicate: answer.duplicate === true };
}
