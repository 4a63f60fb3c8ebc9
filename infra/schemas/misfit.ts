import { isNumber } from "#infra/json/exact.ts";

/** A place where data does not fit. */
export interface Misfit {
  /** A JSON pointer into the data. */
  readonly path: string;
  readonly message: string;
  readonly expected: string;
  /** What stands there, shortened. */
  readonly received: string;
}

/** Why a schema is not taken. `path` is a JSON pointer into the schema. */
export type SchemaFault = Misfit;

/** Misfits that are told of one value, at most. */
export const MAX_MISFITS = 20;
const MAX_SHOWN = 100;

/** A value as it is shown to whoever sent it. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null && !isNumber(value)) return "an object";
  return shorten(JSON.stringify(value));
}

/** @returns at most 100 characters of a text. */
export function shorten(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}
