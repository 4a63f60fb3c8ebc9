import { TroupeError } from "../message/errors.ts";
import type { Grant } from "../ports/store.ts";

/** A partition this node holds: its fence, and how far its outbox has been numbered. */
export class Partition {
  readonly id: number;
  epoch: number;
  commitSeq: number;
  /** The last outbox sequence number that is committed. */
  lastSeq: number;
  /** Whether the node before had not given it back. */
  readonly abandoned: boolean;

  constructor(grant: Grant) {
    this.id = grant.partition;
    this.epoch = grant.epoch;
    this.commitSeq = grant.commitSeq;
    this.lastSeq = grant.lastSeq;
    this.abandoned = grant.abandoned === true;
  }
}

/** What answers a message whose partition is on its way to another node. */
export function movingError(): TroupeError {
  return new TroupeError("unavailable", "Cannot finish the message as its partition has moved to another node");
}
