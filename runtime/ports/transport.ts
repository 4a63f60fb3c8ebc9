import type { Envelope } from "./envelope.ts";
import type { NodeId } from "./store.ts";

/**
 * The transport port: carries calls to the node that owns an actor. At most once: a lost reply is a timeout to the
 * caller. Implemented by `infra/nats`.
 */
export interface Transport {
  /** Starts to take calls for this node. `handle` never rejects. */
  serve(node: NodeId, handle: (envelope: Envelope) => Promise<WireReply>): Promise<void>;
  /**
   * Hands an envelope to another node.
   * @throws {TroupeError} `unavailable`: the message was certainly not handled (nobody serves the node, nothing was
   * sent), so that the runtime may route it again by itself; `deadline_exceeded`: no reply in time, it may have been.
   */
  call(node: NodeId, envelope: Envelope): Promise<WireReply>;
  close(): Promise<void>;
}

/** A reply as it crosses nodes: JSON text, or an error in a form that can be made again on the other side. */
export type WireReply =
  | { readonly kind: "reply"; readonly body: string | undefined }
  | { readonly kind: "error"; readonly error: WireError };

/** An error in a form that crosses nodes: `code` decides what it becomes again on the other side. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly data?: unknown;
}
