/** One structured log event. `event` is `noun:verb`, as in `partition:acquired`. Never carries message inputs. */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/** Says nothing. */
export const silentLog: Log = () => undefined;
