import { stored } from "../kit/stored.ts";

/** For whom this browser shops. */
export const customer = stored<string>("troupe-customer", (kept) =>
  typeof kept === "string" && kept !== "" ? kept : "ada",
);
