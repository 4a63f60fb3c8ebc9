import * as v from "valibot";
import { EXACT_NUMBER } from "#infra/json/exact-schema.ts";
import { type JsonNumber, parseExact } from "#infra/json/exact.ts";
import { NumberText, Pointer, PutRoute, RouteMatch, Scalar } from "./messages.ts";

/** A route as a request puts it: the numbers of `where` as they came. */
export const GivenRoute = v.strictObject({
  ...PutRoute.entries,
  match: v.strictObject({
    ...RouteMatch.entries,
    where: v.optional(
      v.pipe(
        v.record(
          Pointer,
          v.union([
            ...Scalar.options,
            v.pipe(
              EXACT_NUMBER,
              v.transform(({ rawJSON }) => ({ number: rawJSON })),
              NumberText,
            ),
          ]),
        ),
        v.maxEntries(20),
      ),
    ),
  }),
});

/** A route as it is shown: the numbers of `where` as they came. */
export function shownRoute({ match, ...config }: v.InferInput<typeof PutRoute>): v.InferInput<typeof GivenRoute> {
  const { where, ...rest } = match;
  if (where === undefined) return { ...config, match: rest };
  const values = Object.entries(where).map(([pointer, value]) => [
    pointer,
    typeof value === "object" && value !== null ? (parseExact(value.number) as JsonNumber) : value,
  ]);
  return { ...config, match: { ...rest, where: Object.fromEntries(values) as Readonly<Record<string, Scalar>> } };
}
