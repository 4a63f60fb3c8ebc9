/**
 * The audit: looks at the invariants of the shop all the time, and tells the auditor actor what it found.
 *
 * Every process that runs workflows looks; what several find at once is one finding (A1 of the auditor). A look that takes
 * long is followed by a longer pause, so that it never is more than a twentieth of what the database does.
 */
import { Auditor, SHOP_AUDIT } from "#actors/shop/auditor/auditor.ts";
import { checkInvariants, type Invariant, INVARIANTS } from "#actors/shop/read-model/invariants.ts";
import { ORDERS, SETTLE_MS } from "#actors/shop/read-model/read-model.ts";
import type { PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import type { Sample } from "#infra/telemetry/prometheus.ts";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import type { Log, Troupe } from "#runtime";
import type { WorkflowClient } from "#workflows/client.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

const PAUSE_MS = 10_000;
const SHARE = 20;
const ASKED_AT_ONCE = 10;

/** What {@link startAudit} is given. */
export interface AuditOptions {
  readonly reads: PostgresReadModel;
  readonly troupe: Troupe;
  /** Tells which orders run; without Temporal none does, and none is asked about. */
  readonly workflows: WorkflowClient | undefined;
  /** Whether it looks by itself; if not, only when it is asked. */
  readonly looks: boolean;
  readonly log: Log;
}

/** A running audit. */
export interface Audit {
  /** Looks now; what changed within `graceMs` is not judged. Those who ask while a look is under way share the next one. */
  check(graceMs?: number): Promise<readonly Invariant[]>;
  /** For a scrape: 1 for each invariant that held at the last look, 0 for each that did not. */
  samples(): Sample[];
  stop(): Promise<void>;
}

/** Starts the audit. */
export function startAudit({ reads, troupe, workflows, looks, log }: AuditOptions): Audit {
  let last: readonly Invariant[] = [];
  let stopped = false;
  let wake: (() => void) | undefined;
  const looking = new Map<number, Promise<readonly Invariant[]>>();

  async function look(graceMs: number): Promise<readonly Invariant[]> {
    await troupe.projectionSettled(ORDERS, SETTLE_MS);
    return await checkInvariants(reads, running, { nowMs: Date.now(), graceMs });
  }

  async function running(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const there = new Set<string>();
    if (workflows === undefined) return new Set(ids);
    const client = workflows;
    const waiting = [...ids];
    const ask = async (): Promise<void> => {
      for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
        try {
          if ((await client.describe(workflowIds.fulfilOrder(id))).status === "RUNNING") there.add(id);
        } catch (error) {
          // What Temporal does not say is not held against the order.
          if (!(error instanceof WorkflowClientError) || error.code !== "workflow_not_found") there.add(id);
        }
      }
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, ask));
    return there;
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      const since = performance.now();
      try {
        last = await look(30_000);
        const items = last.map((item) => ({ ...item, culprits: [...item.culprits] }));
        await troupe.ref(Auditor, SHOP_AUDIT).record({ at: new Date().toISOString(), items });
        for (const { name, expected, actual, culprits } of last.filter(({ holds }) => !holds))
          log("error", "invariant:violated", { name, expected, actual, culprits });
      } catch (error) {
        if (!stopped) log("warn", "audit:failed", { error });
      }
      const pauseMs = Math.max(PAUSE_MS, (performance.now() - since) * SHARE);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pauseMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
        if (stopped) wake();
      });
    }
  }

  const looped = looks ? loop() : Promise.resolve();
  return {
    check(graceMs = 30_000) {
      const under = looking.get(graceMs);
      if (under !== undefined) return under;
      const found = look(graceMs).finally(() => looking.delete(graceMs));
      looking.set(graceMs, found);
      return found;
    },
    samples: () =>
      INVARIANTS.flatMap((name) => {
        const found = last.find((item) => item.name === name);
        return found === undefined ? [] : [{ labels: { invariant: name }, value: found.holds ? 1 : 0 }];
      }),
    async stop() {
      stopped = true;
      wake?.();
      await looped;
    },
  };
}
