import { toJsonSchema } from "@valibot/to-json-schema";
import type { GenericSchema } from "valibot";
import type { AnyActorType } from "#runtime";

/** A JSON Schema (draft 2020-12). */
export type JsonSchema = { readonly [keyword: string]: unknown };

/** What nodes and consumers rely on of an actor type. The content of `actors/<product>/<noun>/contract.json`. */
export interface ActorContract {
  readonly type: string;
  /** As it stands in the store. */
  readonly state: JsonSchema;
  readonly messages: Readonly<Record<string, MessageContract>>;
  /** The data of each event, by wire name. */
  readonly events: Readonly<Record<string, JsonSchema>>;
}

/** `undefined`: takes or answers nothing. */
export interface MessageContract {
  readonly kind: "command" | "query";
  readonly in?: JsonSchema;
  readonly out?: JsonSchema;
}

/** The contract of a type as the code has it: the same for the same code, names in order. */
export function contractOf({ type, options, messages }: AnyActorType): ActorContract {
  return {
    type,
    state: schemaOf(options.state, "output"),
    messages: sorted(messages, ({ kind, in: input, out }) => ({
      kind,
      ...(input === undefined ? {} : { in: schemaOf(input, "input") }),
      ...(out === undefined ? {} : { out: schemaOf(out, "input") }),
    })),
    events: sorted(options.emits ?? {}, (schema) => schemaOf(schema, "input")),
  };
}

/** Rules without a counterpart in JSON Schema (checks across fields) are no part of a contract. */
function schemaOf(schema: GenericSchema, typeMode: "input" | "output"): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, { errorMode: "ignore", target: "draft-2020-12", typeMode });
  return rest as JsonSchema;
}

function sorted<T, U>(record: Readonly<Record<string, T>>, map: (value: T) => U): Record<string, U> {
  const names = Object.keys(record).toSorted((a, b) => (a < b ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, map(record[name] as T)]));
}
