import { InvalidInputError } from "../message/errors.ts";

/**
 * A place in the history of all topics. `generation` names the history: another one began with its own numbers, and a
 * place in the old one says nothing about it. To clients the text form is opaque: `mf3k2a-1042`.
 */
export interface TopicPlace {
  readonly generation: string;
  readonly seq: number;
}

const ID = /^([a-z0-9]{1,20})-(\d{1,15})$/;

/** The text form of a place: the id of the message that stands there. */
export function formatTopicId(generation: string, seq: number): string {
  return `${generation}-${seq}`;
}

/** @throws {InvalidInputError} when a text is no id of a message. */
export function parseTopicId(id: string): TopicPlace {
  const match = typeof id === "string" ? ID.exec(id) : null;
  if (match !== null) return { generation: match[1] as string, seq: Number(match[2]) };
  throw new InvalidInputError("a subscription", [
    { path: "/after", message: "Invalid id", expected: "the id of a message received before", received: typeof id },
  ]);
}
