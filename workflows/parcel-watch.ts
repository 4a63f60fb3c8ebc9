const STAGES = ["none", "scheduling", "scheduled", "dispatched", "delivered", "lost", "returned"] as const;
type Stage = (typeof STAGES)[number];

/** Where the parcel of an order is, as far as its saga has heard. It only moves on: news that come late change nothing. */
export class ParcelWatch {
  #at: Stage = "none";

  is(stage: Stage): boolean {
    return this.#at === stage;
  }

  /** Whether the courier has it, or had it. */
  get left(): boolean {
    return STAGES.indexOf(this.#at) >= STAGES.indexOf("dispatched");
  }

  /** Whether nothing more will happen to it. */
  get over(): boolean {
    return STAGES.indexOf(this.#at) >= STAGES.indexOf("delivered");
  }

  moved(to: Stage): void {
    if (!this.over && STAGES.indexOf(to) > STAGES.indexOf(this.#at)) this.#at = to;
  }
}
