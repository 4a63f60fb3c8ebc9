/**
 * Forgets what streams no longer need.
 *
 * T1 What is older than the retention goes, but not before every group has read and acknowledged it.
 * T2 What is older than the longer retention goes in any case, or a group that nobody reads by would fill the memory. What
 *    was lost by that is said: in the log, by group and number.
 */
import type { Log } from "#runtime";
import type { RedisClient } from "./client.ts";
import { compareIds } from "./ids.ts";

export interface TrimOptions {
  readonly log: Log;
  /** How long entries are kept, in milliseconds. Trimming is approximate: some older ones stay. @default 24 h */
  readonly retentionMs?: number;
  /** How long entries are kept that a group has not acknowledged, in milliseconds. @default 7 days */
  readonly unreadRetentionMs?: number;
}

const DAY_MS = 86_400_000;
const TRIM_EVERY_MS = 10_000;
/** Streams whose last trimming is remembered. */
const MAX_STREAMS = 1_000;

export class StreamTrimmer {
  readonly #log: Log;
  readonly #retentionMs: number;
  readonly #unreadRetentionMs: number;
  /** When each stream was last trimmed. */
  readonly #trimmed = new Map<string, number>();

  constructor({ log, retentionMs = DAY_MS, unreadRetentionMs = 7 * DAY_MS }: TrimOptions) {
    this.#log = log;
    this.#retentionMs = retentionMs;
    this.#unreadRetentionMs = Math.max(retentionMs, unreadRetentionMs);
  }

  /** Trims those of the streams whose time has come. A failure is logged: it is tried again later. */
  async trim(client: RedisClient, streams: ReadonlySet<string>): Promise<void> {
    const now = Date.now();
    for (const stream of streams) {
      if (now - (this.#trimmed.get(stream) ?? 0) <= TRIM_EVERY_MS) continue;
      if (this.#trimmed.size >= MAX_STREAMS) this.#trimmed.clear();
      this.#trimmed.set(stream, now);
      try {
        await this.#trimOne(client, stream, now);
      } catch (error) {
        this.#log("warn", "redis:trim:failed", {
          stream,
          reason: error instanceof Error ? error.message : String(error),
        });
      }
    }
  }

  async #trimOne(client: RedisClient, stream: string, now: number): Promise<void> {
    const old = `${Math.max(0, now - this.#retentionMs)}-0`;
    const oldest = `${Math.max(0, now - this.#unreadRetentionMs)}-0`;
    const groups: { readonly name: string; readonly needs: string; readonly from: string }[] = [];
    for (const { name, pending, "last-delivered-id": read } of await client.xInfoGroups(stream)) {
      const first = pending > 0 ? (await client.xPending(stream, name)).firstId : null;
      groups.push({ name: String(name), needs: String(first ?? read), from: first ?? `(${read}` });
    }
    const needed = groups.reduce((least, { needs }) => (compareIds(needs, least) < 0 ? needs : least), old); // RedisTrim.T1
    if (compareIds(needed, oldest) >= 0) {
      await client.xTrim(stream, "MINID", needed as never, { strategyModifier: "~" });
      return;
    }
    await client.xTrim(stream, "MINID", needed as never);
    const slow: string[] = [];
    for (const { name, needs, from } of groups) {
      if (compareIds(needs, oldest) >= 0) continue;
      if (((await client.xRange(stream, from, `(${oldest}`, { COUNT: 1 })) ?? []).length > 0) slow.push(name);
    }
    const lost = await client.xTrim(stream, "MINID", oldest as never); // RedisTrim.T2
    if (lost > 0 && slow.length > 0)
      this.#log("error", "redis:unread:lost", { stream, groups: slow, lost, olderThan: oldest });
  }
}
