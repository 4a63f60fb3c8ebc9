import type { Grant } from "./ports/store.ts";

/** A partition this node holds: its fence, and how far its outbox has been numbered. */
export class Partition {
  readonly id: number;
  epoch: number;
  commitSeq: number;
  /** The last outbox sequence number that is committed. */
  lastSeq: number;

  constructor(grant: Grant) {
    this.id = grant.partition;
    this.epoch = grant.epoch;
    this.commitSeq = grant.commitSeq;
    this.lastSeq = grant.lastSeq;
  }
}
