import { type GenericSchema, metadata, pipe, rawTransform, unknown } from "valibot";

/** The part of the Standard Schema interface (version 1) that is used: what zod, arktype, effect and others give their schemas. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** The JSON Schema, where the library has one (Standard JSON Schema). */
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
      readonly output: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
}

/** What a Standard Schema makes of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One place that does not fit. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

type InputOf<S> = S extends StandardSchema<infer Input, unknown> ? Input : never;
type OutputOf<S> = S extends { readonly "~standard": { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly output: infer Output }
    ? Output
    : never
  : never;

/**
 * A schema of another library where one of valibot is taken: of messages, states, events and sockets alike. What it says of a
 * value that does not fit is said to the caller, place by place. Its checks must be synchronous.
 *
 * What does not survive JSON (a date, a map) is not found out in a state of such a schema, as it is in one of valibot.
 *
 * @throws {TypeError} when a value is checked by a schema that answers later.
 *
 * @example
 * ```ts
 * const By = standard({
 *   "~standard": { version: 1, vendor: "mine", validate: (value: unknown) => ({ value: Number(value) }) },
 * });
 * const Sum = actor("sum", {
 *   state: v.object({ sum: v.number() }),
 *   initial: () => ({ sum: 0 }),
 *   messages: ({ command }) => ({ add: command({ in: By }, (c, by) => void (c.state.sum += by)) }),
 * });
 * ```
 */
export function standard<const S extends StandardSchema>(schema: S): GenericSchema<InputOf<S>, OutputOf<S>> {
  const { vendor, validate, jsonSchema } = schema["~standard"];
  const said = (of: "input" | "output"): Record<string, unknown> => jsonSchema?.[of]({ target: "draft-2020-12" }) ?? {};
  return pipe(
    unknown(),
    metadata({ inputSchema: said("input"), outputSchema: said("output") }),
    rawTransform(({ dataset, addIssue, NEVER }) => {
      const result = validate(dataset.value);
      if (result instanceof Promise) {
        throw new TypeError(
          `Cannot check a value by a schema of ${vendor} that answers later: a turn does not wait for it`,
        );
      }
      if (result.issues === undefined) return result.value;
      for (const { message, path = [] } of result.issues) {
        const keys = path.map((step) => (typeof step === "object" ? step.key : step));
        const steps = keys.map((key) => ({
          type: "unknown",
          origin: "value",
          input: undefined,
          key,
          value: undefined,
        }));
        const [first, ...rest] = steps;
        addIssue({ message, ...(first !== undefined && { path: [first, ...rest] as never }) });
      }
      return NEVER;
    }),
  ) as unknown as GenericSchema<InputOf<S>, OutputOf<S>>;
}
