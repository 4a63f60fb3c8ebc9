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
