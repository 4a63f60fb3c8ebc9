import { controlEnvelope } from "../actor/control-messages.ts";
import { MAX_REASON_LENGTH } from "../base/limits.ts";
import type { ActorInspection } from "../control/inspection.ts";
import type { ActorId } from "../ports/store.ts";
import type { Router } from "./router.ts";

/** Sends control messages to actors, wherever they live. What each does is told at `Troupe`. */
export class ActorControls {
  readonly #router: Router;

  constructor(router: Router) {
    this.#router = router;
  }

  async pause(actor: ActorId, reason: string): Promise<void> {
    const text = reason.replaceAll("\u0000", "").slice(0, MAX_REASON_LENGTH);
    await this.#router.route(controlEnvelope(actor, "$pause", text));
  }

  async resume(actor: ActorId): Promise<void> {
    await this.#router.route(controlEnvelope(actor, "$resume", undefined));
  }

  async reload(actor: ActorId): Promise<void> {
    await this.#router.route(controlEnvelope(actor, "$reload", undefined));
  }

  async inspect(actor: ActorId): Promise<ActorInspection> {
    const body = await this.#router.route(controlEnvelope(actor, "$inspect", undefined));
    return JSON.parse(body ?? "{}") as ActorInspection;
  }
}
