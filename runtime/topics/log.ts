import type { Clock } from "../base/clock.ts";
import type { TopicMessage } from "../ports/topics.ts";
import { formatTopicId } from "./id.ts";

/** A broadcast with its number in the history. */
export class TopicEntry implements TopicMessage {
  readonly kind = "message";
  readonly seq: number;
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  readonly body: string;

  constructor(generation: string, seq: number, topic: string, type: string, body: string) {
    this.seq = seq;
    this.id = formatTopicId(generation, seq);
    this.topic = topic;
    this.type = type;
    this.body = body;
  }

  get data(): unknown {
    return JSON.parse(this.body) as unknown;
  }
}

/** How much of the history is kept in memory: whichever bound is reached first. */
export interface TopicLimits {
  readonly maxMessages: number;
  readonly maxAgeMs: number;
  /** UTF-16 code units of the bodies. */
  readonly maxLength: number;
}

/**
 * The newest part of the history, in order and without holes: everything after `base`, up to `end`.
 * A bound per topic would make holes, and whoever resumes could not tell one from silence.
 */
export class TopicLog {
  readonly #clock: Clock;
  readonly #limits: TopicLimits;
  #entries: TopicEntry[] = [];
  #times: number[] = [];
  #head = 0;
  #length = 0;
  #base: number;
  #end: number;

  constructor(clock: Clock, limits: TopicLimits, end = 0) {
    this.#clock = clock;
    this.#limits = limits;
    this.#base = end;
    this.#end = end;
  }

  get base(): number {
    this.#trim();
    return this.#base;
  }

  get end(): number {
    return this.#end;
  }

  append(entry: TopicEntry): void {
    this.#entries.push(entry);
    this.#times.push(this.#clock.monotonic());
    this.#length += entry.body.length;
    this.#end = entry.seq;
    this.#trim();
  }

  /** Another history, or another place in it: nothing of before is kept. */
  reset(end: number): void {
    this.#entries = [];
    this.#times = [];
    this.#head = 0;
    this.#length = 0;
    this.#base = end;
    this.#end = end;
  }

  /** Up to `limit` entries of `topics` behind `after`, and how far the log has been looked through for them. */
  read(
    topics: ReadonlySet<string>,
    after: number,
    limit: number,
  ): { readonly entries: TopicEntry[]; readonly upTo: number } {
    const entries: TopicEntry[] = [];
    for (let i = this.#firstBehind(after); i < this.#entries.length; i++) {
      const entry = this.#entries[i] as TopicEntry;
      if (!topics.has(entry.topic)) continue;
      entries.push(entry);
      if (entries.length >= limit) return { entries, upTo: entry.seq };
    }
    return { entries, upTo: Math.max(after, this.#end) };
  }

  #firstBehind(after: number): number {
    let low = this.#head;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle] as TopicEntry).seq <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(): void {
    const oldest = this.#clock.monotonic() - this.#limits.maxAgeMs;
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      const over =
        this.#entries.length - this.#head > this.#limits.maxMessages || this.#length > this.#limits.maxLength;
      if (!over && (this.#times[this.#head] as number) >= oldest) break;
      this.#base = entry.seq;
      this.#length -= entry.body.length;
      this.#head++;
    }
    if (this.#head >= 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
  }
}
