import type * as v from "valibot";
import type { Access } from "./access.ts";
import type { Refusals } from "./refusals.ts";

/** A valibot schema. */
export type Schema = v.GenericSchema;
/** A schema where one is declared. */
export type MaybeSchema = Schema | undefined;

/** One answer of an endpoint, as OpenAPI shows it. */
export interface Answer<R extends MaybeSchema = MaybeSchema> {
  readonly status: number;
  readonly description: string;
  readonly schema?: R;
}

/** An endpoint as the outside sees it: what is checked, and what OpenAPI says about it, come from here alone. */
export interface EndpointSpec<
  P extends MaybeSchema = MaybeSchema,
  Q extends MaybeSchema = MaybeSchema,
  B extends MaybeSchema = MaybeSchema,
  R extends MaybeSchema = MaybeSchema,
> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As in `/orders/:id`. */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  /** What it is about, as in `order`: the first half of its problem codes. */
  readonly noun: string;
  /** What the refusals of the actor it speaks to mean. One that is not listed is a 409. */
  readonly refusals?: Refusals;
  readonly params?: P;
  /** The query, as a strict object. Default: none is known, and any name in it is refused. */
  readonly query?: Q;
  /** Whether names in the query that it does not know are passed over: probes add their own. @default false */
  readonly anyQuery?: boolean;
  /** Which key it needs, where authentication is on: one with this scope, or with `admin`. `key`: any; `open`: none. */
  readonly scope: Access;
  /** JSON. A request without a body is a 400 unless the schema takes `undefined`. */
  readonly body?: B;
  /** Whether numbers of the body are kept as their texts say (`parseExact`). @default false */
  readonly exact?: boolean;
  /**
   * Whether the answer carries an `ETag` of its content, and is 304 without a body to who has that already
   * (`If-None-Match`). @default false
   */
  readonly tagged?: boolean;
  readonly answer: Answer<R>;
  /** Further answers that are not problems, as `/ready`'s 503. */
  readonly otherAnswers?: readonly Answer[];
  /** Statuses it may answer with a problem, beside those every endpoint may: 429, 500 and 503. */
  readonly problems?: readonly number[];
  /** What a path that does not fit `params` gets: 404 where it can name nothing, 422 where it would be created. Default 404. */
  readonly unfitPath?: 404 | 422;
}
