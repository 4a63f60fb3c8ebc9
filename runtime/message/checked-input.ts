import type { GenericSchema, InferInput, InferOutput } from "valibot";

/** An input with the schema it was checked by. As JSON it is the input: so it goes to other nodes, and into hashes. */
export class CheckedInput {
  readonly schema: GenericSchema;
  readonly value: unknown;

  constructor(schema: GenericSchema, value: unknown) {
    this.schema = schema;
    this.value = value;
  }

  toJSON(): unknown {
    return this.value;
  }
}

/**
 * The input of a message whose sender has checked it already: a turn of this process takes it as it is, where `schema` is the very one
 * of the message. Anywhere else it is checked as every input.
 *
 * @param value fits the schema, and is changed by nobody from now on: the turn gets it itself, and no copy.
 *
 * @example
 * ```ts
 * const Add = v.object({ by: v.number() });
 * const input = checkedInput(Add, { by: 1 }); // to a message with `in: Add`, what needs no look
 * ```
 */
export function checkedInput<S extends GenericSchema>(schema: S, value: InferOutput<S>): InferInput<S> {
  // To whoever sends it, it is an input like any other.
  return new CheckedInput(schema, value) as InferInput<S>;
}
