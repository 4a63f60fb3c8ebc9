import type { Log } from "#runtime";

/** The exit code after an uncaught exception: a supervisor starts the process again. */
export const EXIT_UNCAUGHT = 70;

/**
 * What becomes of errors that nobody caught.
 *
 * After an uncaught exception nobody knows what state the process is in: it is written down, and the process ends at once
 * with {@link EXIT_UNCAUGHT}. Its partitions go to other nodes when their lease runs out, as after any crash. A rejection that
 * nobody awaited left no turn half done: it is written down, and the process goes on.
 */
export function writeDownUncaught(log: Log): void {
  process.on("unhandledRejection", (error) => log("error", "app:rejection", { error }));
  process.on("uncaughtException", (error) => {
    log("error", "app:exception", { error, means: "the process ends, as its state is unknown" });
    process.exit(EXIT_UNCAUGHT);
  });
}
