import type { Duration } from "../base/duration.ts";

/** What becomes of ticks that came due while nothing could handle them. */
export type MissedTicks = "once" | "all" | "skip";

/** How a recurring timer is asked for. */
export type Recurrence = ({ readonly cron: string; readonly zone?: string } | { readonly every: Duration | number }) & {
  readonly missed?: MissedTicks;
};
