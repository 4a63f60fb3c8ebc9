/** Rows and queries of the store port about indexed fields. */

import type { ActorId } from "./actor-rows.ts";

/** The value of one indexed field. */
export interface FieldValue {
  readonly field: string;
  /** As `index-value.ts` encodes it: text without NUL whose bytes have the order of the values. `undefined`: none. */
  readonly value: string | undefined;
}

/** An indexed value of an actor, to be kept, or with `value: undefined` removed. */
export interface IndexWrite extends ActorId, FieldValue {
  readonly partition: number;
}

/** One of these values, or a value from `from` on and before `before`. */
export type IndexCondition =
  | { readonly field: string; readonly values: readonly string[] }
  | { readonly field: string; readonly from: string; readonly before: string };

/** A page of a type's actors whose indexed values meet conditions. */
export interface IndexQuery {
  readonly type: string;
  /** The fields that the index must be complete for, sorted. */
  readonly fields: readonly string[];
  /** At least one; all must hold. */
  readonly conditions: readonly IndexCondition[];
  readonly limit: number;
  readonly after: string | undefined;
}

/** The fields, sorted, that the index of a type holds in a partition. */
export interface IndexedFields {
  readonly type: string;
  readonly partition: number;
  readonly fields: readonly string[];
}

/** Index values of actors that were stored before their fields were indexed. */
export interface IndexFill {
  readonly type: string;
  /** Values of actors as they were read, all of one partition, given alone. An actor whose stored state is no longer `state` is left out: a turn wrote it. */
  readonly actors: readonly { readonly key: string; readonly state: string; readonly values: readonly FieldValue[] }[];
  /**
   * The fields, sorted, that the index of the type is complete for from now on in these partitions: values of other
   * fields, and of actors that are gone, are removed. `undefined`: it is not complete.
   */
  readonly complete: readonly string[] | undefined;
}
