import type { TopicEntry } from "./log.ts";

/** The part of a history that is not in memory. Rejects while it cannot be reached. */
export interface TopicHistory {
  /** Up to about `limit` messages of `topics` behind `after`, oldest first. */
  read(topics: readonly string[], after: number, limit: number): Promise<TopicPage>;
  /** The number of the last message, of whatever topic. */
  lastSeq(): Promise<number>;
}

export interface TopicPage {
  readonly entries: readonly TopicEntry[];
  /** Nothing of the topics was left out up to here. */
  readonly upTo: number;
  /** The oldest number the history still had when the page was read. */
  readonly first: number;
}
