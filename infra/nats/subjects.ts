/** NATS carries subjects in its protocol line, which is bounded; no real event type comes near. */
const MAX_SUBJECT_CHARS = 255;

/** Visible ASCII without `*` and `>`; a dot only between tokens. */
const TOKENS = /^[!-)+\-/-=?-~]+(?:\.[!-)+\-/-=?-~]+)*$/;
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;

/** Where events go when nothing else is said: `evt.order.placed.v1`. */
export const EVENT_SUBJECT_PREFIX = "evt";

/** Where calls to nodes go when nothing else is said: `troupe.node.<nodeId>`. */
export const NODE_SUBJECT_PREFIX = "troupe.node";

/**
 * The subject of an event type, `evt.order.placed.v1` for `order.placed.v1`: always exactly one subject below the
 * prefix, never a pattern and never a second protocol line, whatever the type holds.
 * @throws {RangeError} the type is empty, too long, has an empty token, or holds `*`, `>`, a space, a control or a
 * non-ASCII character.
 */
export function eventSubject(type: string, prefix: string = EVENT_SUBJECT_PREFIX): string {
  const subject = `${prefix}.${type}`;
  if (!TOKENS.test(type) || subject.length > MAX_SUBJECT_CHARS) {
    throw new RangeError(
      `Cannot derive a subject from the event type ${quoted(type)} as it is not dot-separated tokens of visible ASCII without * and >`,
    );
  }
  return subject;
}

/**
 * The subject on which a node takes calls, `troupe.node.n_0199…`.
 * @throws {RangeError} the id is not one token of letters, digits, `_` and `-`.
 */
export function nodeSubject(node: string, prefix: string = NODE_SUBJECT_PREFIX): string {
  if (!TOKEN.test(node)) {
    throw new RangeError(
      `Cannot derive a subject from the node id ${quoted(node)} as it is not one token of letters, digits, _ and -`,
    );
  }
  return `${prefix}.${node}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
