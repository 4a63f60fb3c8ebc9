import type { Acted, Action, ObservedContainer, Slots } from "#actors/orchestrator/scaler/messages.ts";
import type { ConditionFound, DesiredService } from "#actors/orchestrator/service/messages.ts";

/** Input of `reconcileService`. */
export interface ReconcileServiceInput {
  readonly name: string;
}

/** The signal that makes the loop look at the world at once. */
export const WAKE_SIGNAL = "wake";
/** The query that tells what the loop last decided. */
export const LAST_DECISION_QUERY = "getLastDecision";

/** What the loop last saw and decided. */
export interface Decision {
  readonly round: number;
  readonly status: string;
  /** As in `create web/2`, `remove web/0 3f2a…`. */
  readonly actions: readonly string[];
}

/** What one host has of a service. `containers: null`: it could not be asked, for `reason`. */
export interface HostView {
  readonly host: string;
  readonly containers: readonly ObservedContainer[] | null;
  readonly reason: string | null;
}

/** A container on a host that could not be asked: taken to be there, since nobody knows better. */
export interface HiddenContainer {
  readonly host: string;
  readonly containerId: string;
  readonly revision: string;
  readonly replica: number;
  readonly run: string | null;
}

/** The world as one round of the loop sees it. */
export interface World {
  readonly desired: DesiredService;
  /** Every host that is known, in order of its name. */
  readonly hosts: readonly HostView[];
  /** Services it depends on that are not ready. */
  readonly waitsFor: readonly string[];
  readonly slots: Slots;
  /** Containers that were seen last on hosts that could not be asked now. */
  readonly hidden: readonly HiddenContainer[];
  /** The token to act with. */
  readonly fence: number;
  readonly nowMs: number;
  /** Which key seals what the process that looked stores in Temporal. */
  readonly sealing?: string;
}

/** A part of the world: what this process can see, and which hosts others have to look at. */
export type Survey = Omit<World, "slots" | "fence" | "hidden"> & { readonly elsewhere: readonly string[] };

/** What is to be done on one host. */
export interface ActOrder {
  readonly host: string;
  readonly fence: number;
  readonly graceMs: number;
  readonly actions: readonly Action[];
}

/** What the loop says about a round. */
export interface RoundReport {
  readonly status: "converged" | "progressing" | "degraded";
  readonly conditions: readonly ConditionFound[];
}

/** An action in words, as in `create web/2`, `remove web/0 3f2a…`. */
export function labelOf(service: string, action: Action): string {
  const slot = `${service}/${action.replica}`;
  return action.kind === "create" ? `create ${slot}` : `${action.kind} ${slot} ${action.containerId.slice(0, 12)}`;
}

export type { Acted };
