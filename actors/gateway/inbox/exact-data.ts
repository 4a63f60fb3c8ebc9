/**
 * The data of an event on its way between actors, workflows and stores, whose messages are read by `JSON.parse`: where that
 * would change a number, the data goes as a text.
 */
import { holdsExactNumbers, parseExact } from "#infra/json/exact.ts";

/** Data as JSON, or as the text of it. At most one of both is there. */
export interface Carried {
  readonly data?: unknown;
  readonly data_json?: string | undefined;
}

/** Data in the form that survives. */
export function carried(data: unknown): Carried {
  return holdsExactNumbers(data) ? { data_json: JSON.stringify(data) } : { data };
}

/** The data, with its numbers as they came. `undefined`: there is none. */
export function dataOf({ data, data_json }: Carried): unknown {
  return data_json === undefined ? data : parseExact(data_json);
}
