import { MAX_REPLY_LENGTH } from "../base/limits.ts";
import { exactJson, plainJson } from "./exact-json.ts";

/**
 * A reply as JSON text; `undefined` for an empty one.
 * @throws {RangeError} the reply is too large to be kept and sent. @throws {TypeError} it is not exactly JSON.
 */
export function replyText(reply: unknown, address: string, message: string): string | undefined {
  if (reply === undefined) return undefined;
  // The name is for an error: most replies are plain numbers and small objects, and need none.
  const body = plainJson(reply) ?? exactJson(reply, `the reply to ${message} of ${address}`);
  if (body !== undefined && body.length > MAX_REPLY_LENGTH) {
    throw new RangeError(
      `Cannot reply to ${message} of ${address} as the reply is too large: size is ${body.length}, limit is ${MAX_REPLY_LENGTH}`,
    );
  }
  return body;
}
