/** What a field must hold to be indexed. */
export type IndexValue = string | number | boolean | null;

/** The members of a state that may be indexed: those that hold a string, number, boolean or null, or may be missing. */
export type IndexableField<State> = {
  [Field in keyof State & string]-?: State[Field] extends IndexValue | undefined ? Field : never;
}[keyof State & string];
