import * as v from "valibot";
import type { AnyActorType } from "#runtime";
import type { Subject } from "./subject.ts";

/** Where an actor may be. */
export interface Place {
  readonly type: AnyActorType;
  readonly key: string;
}

/** Where actors may be that a text speaks of: `type/key` names one place, a key one of each type that takes such keys. */
export function placesOf(types: readonly AnyActorType[], { text, keys }: Subject): readonly Place[] {
  const slash = text.indexOf("/");
  const named = types.find(({ type }) => type === text.slice(0, slash));
  if (named !== undefined) return placeOf(named, text.slice(slash + 1));
  return keys.filter((key) => !key.includes("/")).flatMap((key) => types.flatMap((type) => placeOf(type, key)));
}

function placeOf(type: AnyActorType, key: string): readonly Place[] {
  const { key: schema } = type.options;
  return schema === undefined || v.is(schema, key) ? [{ type, key }] : [];
}
