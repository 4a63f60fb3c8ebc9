import { type Msg, PermissionViolationError } from "@nats-io/transport-node";

/** What JetStream answered to a publish. */
export type PublishAck =
  /** On disk. `count`: the messages of the batch, 0 outside of one. */
  | { readonly kind: "stored"; readonly count: number; readonly duplicate: boolean }
  /** Not taken. `code` is JetStream's `err_code`. `never`: it is the message that does not fit, or a stream that is sealed. */
  | { readonly kind: "rejected"; readonly code: number; readonly detail: string; readonly never: boolean };

/** JetStream answers like HTTP: the request is wrong, and no other time makes it right. 503 is a stream that is full. */
const BAD_REQUEST = 400;

/** @throws {Error} the answer is not one of JetStream's. */
export function readPublishAck(message: Msg): PublishAck {
  const answer = message.json<{
    readonly stream?: string;
    readonly count?: number;
    readonly duplicate?: boolean;
    readonly error?: { readonly code?: number; readonly err_code?: number; readonly description?: string };
  } | null>();
  if (answer?.error !== undefined) {
    return {
      kind: "rejected",
      code: answer.error.err_code ?? 0,
      detail: answer.error.description ?? "no reason given",
      never: answer.error.code === BAD_REQUEST,
    };
  }
  if (answer?.stream === undefined || answer.stream === "")
    throw new Error("Cannot read the answer of JetStream as it names no stream");
  return { kind: "stored", count: answer.count ?? 0, duplicate: answer.duplicate === true };
}

/** Why the server will not let this user publish there; `undefined` for any other error. */
export function forbiddenBy(error: unknown): string | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (at instanceof PermissionViolationError) return at.message;
  return undefined;
}
