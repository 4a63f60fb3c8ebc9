import * as v from "valibot";
import { type ExactNumber, isExactNumber } from "./exact.ts";

/** A number that is kept as its text, as a valibot schema. In JSON Schema it is a number. */
export const EXACT_NUMBER = v.custom<ExactNumber>(isExactNumber, "must be a number");
