import { ERROR_CODES_PAGE, errorCodesPage } from "./error-codes.ts";
import { ASYNC_API, asyncApi, EVENTS_PAGE, eventsPage } from "./events.ts";
import { LLMS_PAGE, llmsText } from "./llms.ts";
import { OBJECT_MIGRATIONS, objectMigrations } from "./object-migrations.ts";
import { SETTINGS_PAGE, settingsPage } from "./settings.ts";

/** A page that is made from the code or from other pages, and never edited by hand. */
export interface GeneratedPage {
  readonly path: string;
  /** @param root of the checkout. */
  readonly text: (root: string) => string;
}

/** In an order in which none is made of a later one. */
export const GENERATED: readonly GeneratedPage[] = [
  { path: ERROR_CODES_PAGE, text: errorCodesPage },
  { path: EVENTS_PAGE, text: eventsPage },
  { path: ASYNC_API, text: asyncApi },
  { path: SETTINGS_PAGE, text: settingsPage },
  { path: LLMS_PAGE, text: llmsText },
  { path: OBJECT_MIGRATIONS, text: objectMigrations },
];
