import { ERROR_CODES_PAGE, errorCodesPage } from "./error-codes.ts";
import { LLMS_PAGE, llmsText } from "./llms.ts";

/** A page that is made from the code or from other pages, and never edited by hand. */
export interface GeneratedPage {
  readonly path: string;
  /** @param root of the checkout. */
  readonly text: (root: string) => string;
}

/** In an order in which none is made of a later one. */
export const GENERATED: readonly GeneratedPage[] = [
  { path: ERROR_CODES_PAGE, text: errorCodesPage },
  { path: LLMS_PAGE, text: llmsText },
];
