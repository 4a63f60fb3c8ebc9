import { safeParse } from "valibot";
import { ownFault } from "../message/own-fault.ts";
import { toIssue } from "../message/validate.ts";
import type { AnyActorType, AnyMessageDefinition, AnyWorkDefinition, AnyWorkerType } from "./any-actor.ts";

/**
 * The same type, whose turns fail where their reply is not what `out` of the message says. What fits is replied as it is.
 */
export function withCheckedReplies<A extends AnyActorType | AnyWorkerType>(type: A): A {
  const messages = Object.entries(type.messages).map(([name, definition]) => [
    name,
    checked(type.type, name, definition),
  ]);
  return { ...type, messages: Object.fromEntries(messages) as A["messages"] };
}

type Definition = AnyMessageDefinition | AnyWorkDefinition;

function checked(type: string, name: string, definition: Definition): Definition {
  const { out } = definition;
  if (out === undefined) return definition;
  const check = (reply: unknown, what: string): unknown => {
    const result = safeParse(out, reply);
    if (result.success) return reply;
    throw ownFault(`Cannot reply to ${name} of ${what}`, result.issues.map(toIssue));
  };
  // Only an actor has a key.
  const whatOf = (c: { readonly key: string }): string => (definition.kind === "work" ? type : `${type}/${c.key}`);
  return {
    ...definition,
    handle(c: { readonly key: string }, input: never): unknown {
      const reply = definition.handle(c as never, input);
      return reply instanceof Promise ? reply.then((value) => check(value, whatOf(c))) : check(reply, whatOf(c));
    },
  };
}
