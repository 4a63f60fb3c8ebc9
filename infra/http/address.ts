import { Problem } from "./problem.ts";

/** @throws {Problem} 422 for an address with a NUL in it: no name here has one, and no database text can hold it. */
export function refuseNul({ url }: Request): void {
  if (url.includes("%00")) throw new Problem(422, "address.unsafe_text", "The address holds a NUL character");
}
