import { afterFailedStart, FRESH_SLOT } from "../backoff.ts";
import { afterLook, type Memory, NO_MEMORY, type Seen } from "../memory.ts";
import { type Action, type Desired, type ObservedContainer, slotKey } from "../messages.ts";
import { type Plan, plan } from "../plan.ts";

type Box = { -readonly [K in keyof ObservedContainer]: ObservedContainer[K] };

/** How the containers of a revision behave. */
export interface Behaviour {
  /** There is such an image. */
  readonly image: boolean;
  /** It ends by itself after so long; `null`: never. */
  readonly livesMs: number | null;
  readonly health: "none" | "healthy" | "unhealthy";
}

/** A host in memory with a clock of its own: what plans are tried on. */
export class FakeHost {
  nowMs = Date.parse("2026-01-01T00:00:00Z");
  boxes: Box[] = [];
  memory: Memory = NO_MEMORY;
  readonly draining: Record<string, { since: number; open: number }> = {};
  readonly behaviours = new Map<string, Behaviour>();
  readonly events: Seen[] = [];
  /** Calls to the host fail. */
  away = false;
  #ids = 0;

  iso(ms = this.nowMs): string {
    return new Date(ms).toISOString();
  }

  behaviour(revision: string): Behaviour {
    return this.behaviours.get(revision) ?? { image: true, livesMs: null, health: "none" };
  }

  /** Time passes; containers end that end by themselves. */
  pass(ms: number): void {
    this.nowMs += ms;
    for (const box of this.boxes) {
      const { livesMs, health } = this.behaviour(box.revision);
      if (box.state !== "running") continue;
      const started = Date.parse(box.startedAt ?? "");
      if (livesMs !== null && this.nowMs - started >= livesMs) this.end(box, 1, started + livesMs);
      else box.health = health !== "none" && this.nowMs - started < 2_000 ? "starting" : health;
    }
  }

  end(box: Box, exitCode: number, at = this.nowMs): void {
    Object.assign(box, { state: "exited", exitCode, finishedAt: this.iso(at), health: "none" });
  }

  run(box: Box): void {
    const { health } = this.behaviour(box.revision);
    Object.assign(box, { state: "running", startedAt: this.iso(), health: health === "none" ? "none" : "starting" });
  }

  /** One round: looks, plans. */
  round(desired: Desired): Plan {
    const wanted: Record<string, number> = { [desired.revision]: desired.canary?.replicas ?? desired.replicas };
    if (desired.canary) wanted[desired.canary.base] = desired.replicas;
    const hosts = [{ host: "a", containers: this.away ? null : this.boxes }];
    const { memory, seen } = afterLook(this.memory, { service: desired.service, hosts, wanted, nowMs: this.nowMs });
    this.memory = memory;
    this.events.push(...seen);
    if (this.away) return { actions: [], status: "degraded", conditions: [], failure: null, nextCheckMs: 1_000 };
    const next = plan(
      { ...desired, draining: this.draining },
      { containers: this.boxes.map((box) => ({ ...box })), slots: memory.slots, nowMs: this.nowMs },
    );
    return next;
  }

  act(desired: Desired, action: Action): void {
    if (this.away) return;
    if (action.kind === "create") {
      const { revision, replica, host } = action;
      const taken = this.boxes.some((box) => box.revision === revision && box.replica === replica);
      if (!this.behaviour(revision).image) return this.#failed(revision, replica);
      if (taken) return;
      const box: Box = {
        id: `c${this.#ids++}`,
        host,
        service: desired.service,
        revision,
        replica,
        image: "troupe/echo:1",
        imageId: "i",
        state: "created",
        createdAt: this.iso(),
        startedAt: null,
        finishedAt: null,
        exitCode: 0,
        oomKilled: false,
        ports: [],
        health: "none",
        differences: [],
        stuck: null,
        fence: 0,
      };
      this.boxes.push(box);
      if (action.start) this.run(box);
      return;
    }
    const box = this.boxes.find(({ id }) => id === action.containerId);
    if (!box) return;
    const expect = (why: "unhealthy" | "stopped" | "removed"): void => {
      this.memory = { ...this.memory, expected: { ...this.memory.expected, [box.id]: why } };
    };
    switch (action.kind) {
      case "start":
        return void (box.state === "running" || this.run(box));
      case "restart":
        expect("unhealthy");
        return this.end(box, 137);
      case "stop":
        expect("stopped");
        return this.end(box, 143);
      case "drain":
        this.draining[box.id] = { since: this.nowMs, open: 0 };
        return;
      case "undrain":
        delete this.draining[box.id];
        return;
      case "mend":
        box.differences = [];
        return;
      case "remove":
        expect("removed");
        this.boxes = this.boxes.filter((other) => other !== box);
        delete this.draining[box.id];
    }
  }

  #failed(revision: string, replica: number): void {
    const key = slotKey(revision, replica);
    const slot = afterFailedStart(
      this.memory.slots[key] ?? FRESH_SLOT,
      { code: "image_missing", message: "there is no such image" },
      this.nowMs,
    );
    this.memory = { ...this.memory, slots: { ...this.memory.slots, [key]: slot } };
  }
}
