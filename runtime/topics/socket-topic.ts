import { textHash } from "../base/hash.ts";

const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,99}$/u;

/** The topic over which an actor reaches its sockets. Two keys may share one: what is told names its key. */
export function socketTopic(type: string, key: string): string {
  return `sockets/${type}/${PLAIN.test(key) ? key : `${textHash(key)}~`}`;
}
