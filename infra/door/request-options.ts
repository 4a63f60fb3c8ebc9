import type { Duration } from "#runtime";
import { Problem } from "../http/problem.ts";

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/u;
const WHOLE_MS = /^[1-9]\d{0,8}$/u;
/** The longest that may be asked for: nine digits. */
export const MAX_DEADLINE_MS = 999_999_999;
/** Longer ids are hashed: the runtime bounds them. */
const PLAIN_ID_LENGTH = 255;

/** The header that says how many milliseconds the caller still waits. */
export const DEADLINE_HEADER = "troupe-deadline-ms";

/**
 * The message id that an `Idempotency-Key` stands for: the same key of another caller is another id.
 * @throws {Problem} 400 unless the key is 1 to 255 visible ASCII characters.
 */
export function messageId(key: string, caller: string): string | Promise<string> {
  if (!VISIBLE_ASCII.test(key)) {
    throw malformed("idempotency.key_malformed", "idempotency-key", "1 to 255 visible ASCII characters", key);
  }
  const id = `door/${encodeURIComponent(caller)}/${key}`;
  return id.length <= PLAIN_ID_LENGTH ? id : hashed(id);
}

async function hashed(id: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id)));
  return `door#${Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * How long a call may take: what the caller asks for, but never longer than `mostMs`.
 * @throws {Problem} 400 unless the header is a whole number of milliseconds from 1.
 */
export function timeoutOf(asked: string | undefined, mostMs: number): Duration {
  if (asked === undefined) return `${mostMs}ms`;
  if (!WHOLE_MS.test(asked)) {
    throw malformed("deadline.malformed", DEADLINE_HEADER, "Whole milliseconds from 1, at most 9 digits", asked);
  }
  return `${Math.min(Number(asked), mostMs)}ms`;
}

function malformed(code: string, header: string, expected: string, received: string): Problem {
  return new Problem(400, code, `The header ${header} is not usable: see errors`, {
    issues: [
      { path: `header/${header}`, message: "is not usable", expected, received: `${received.length} characters` },
    ],
  });
}
