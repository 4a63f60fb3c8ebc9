import { safeParse } from "valibot";
import { ownFault } from "../message/own-fault.ts";
import { toIssue } from "../message/validate.ts";
import type { AnyActorType, AnyMessageDefinition } from "./any-actor.ts";

/**
 * The same type, whose turns fail where their reply is not what `out` of the message says. What fits is replied as it is.
 */
export function withCheckedReplies<A extends AnyActorType>(type: A): A {
  const messages = Object.entries(type.messages).map(([name, definition]) => [name, checked(type, name, definition)]);
  return { ...type, messages: Object.fromEntries(messages) as A["messages"] };
}

function checked(type: AnyActorType, name: string, definition: AnyMessageDefinition): AnyMessageDefinition {
  const { out } = definition;
  if (out === undefined) return definition;
  const check = (reply: unknown, key: string): unknown => {
    const result = safeParse(out, reply);
    if (result.success) return reply;
    throw ownFault(`Cannot reply to ${name} of ${type.type}/${key}`, result.issues.map(toIssue));
  };
  return {
    ...definition,
    handle(c: { readonly key: string }, input: never): unknown {
      const reply = definition.handle(c as never, input);
      return reply instanceof Promise ? reply.then((value) => check(value, c.key)) : check(reply, c.key);
    },
  };
}
