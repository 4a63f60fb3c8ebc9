import type { Hands } from "#actors/orchestrator/scaler/act.ts";
import type { Prober } from "#actors/orchestrator/scaler/prober.ts";
import type { Troupe } from "#runtime";
import type { OwnHost } from "../own-host.ts";

/** The host of a process, with what checks its containers. */
export interface ProbedHost extends OwnHost {
  readonly prober: Prober;
}

/** What the activities work with. */
export interface ReconcileDeps {
  readonly troupe: Troupe;
  /** The host of this process; `undefined` until its engine has answered once. */
  readonly own: () => ProbedHost | undefined;
  /** Every host that has been heard of lately. */
  readonly hosts: () => Promise<readonly string[]>;
  readonly secret: Hands["secret"];
  readonly bindObjection: Hands["bindObjection"];
  /** Says which key seals what this process stores in Temporal; `undefined` where nothing is sealed. */
  readonly sealing?: string | undefined;
  /** Told how many seconds a round took, from its look at the world to its report. */
  readonly reconciled?: (seconds: number) => void;
}
