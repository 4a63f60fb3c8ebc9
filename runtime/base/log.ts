/**
 * One structured log event. `event` is `noun:verb`, as in `partition:acquired`. Never carries message inputs.
 *
 * @example
 * ```ts
 * const log: Log = (level, event, fields) => console.error(JSON.stringify({ level, event, ...fields }));
 * ```
 */
export type Log = (
  level: "debug" | "info" | "warn" | "error",
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void;

/**
 * Says nothing.
 *
 * @example
 * ```ts
 * await createTroupe({ actors: [Counter], stores: { default: memory() }, log: silentLog }); // the default
 * ```
 */
export const silentLog: Log = () => undefined;
