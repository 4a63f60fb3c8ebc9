import { TroupeError } from "../message/errors.ts";

/** What an actor's messages that came by timer or send may do to it, and what happens then. */
export interface PoisonOptions {
  /** Turns of one message that fail before it counts as poison. Default 5. */
  readonly after: number;
  /**
   * `dead-letter` (default): the message is set aside and the next one has its turn. `pause`: the actor is paused as it
   * is, its timers and sends wait in order, until somebody has looked and resumes it. A message that the actor refuses
   * is a dead letter in either case.
   */
  readonly then?: "dead-letter" | "pause";
}

/** Whether a turn failed by itself: its handler threw. A refusal is an answer, and an outage is nobody's fault here. */
export function isPoison(error: unknown): boolean {
  return !(error instanceof TroupeError) || error.code === "turn_failed";
}

/** Why an actor was paused, for people. Says nothing of what the handler threw: that stays in the log. */
export function poisonDetail(what: string, attempts: number, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${what} failed ${attempts} times: ${message}`.replaceAll("\u0000", "");
}
