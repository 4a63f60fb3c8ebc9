import { TroupeError } from "../message/errors.ts";

/** Whether a turn failed by itself: its handler threw. A refusal is an answer, and an outage is nobody's fault here. */
export function isPoison(error: unknown): boolean {
  return !(error instanceof TroupeError) || error.code === "turn_failed";
}

/** Why an actor was paused, for people. Says nothing of what the handler threw: that stays in the log. */
export function poisonDetail(what: string, attempts: number, error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `${what} failed ${attempts} times: ${message}`.replaceAll("\u0000", "");
}
