const TYPE_NAME = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * @param what it names, as in `actor type`.
 * @throws {TypeError} when it is not lower case, digits and hyphens (at most 63): it becomes part of addresses, subjects and topics.
 */
export function checkTypeName(what: string, type: string): void {
  if (TYPE_NAME.test(type)) return;
  throw new TypeError(`Cannot define the ${what} "${type}": expected lower case, digits and hyphens, as in "order"`);
}

/** @throws {TypeError} when the name of a message begins with `$`, which the runtime keeps for itself. */
export function checkMessageNames(type: string, messages: object): void {
  for (const name of Object.keys(messages)) {
    if (name.startsWith("$")) throw new TypeError(`Cannot declare the message "${name}" of ${type}: "$" is reserved`);
  }
}
