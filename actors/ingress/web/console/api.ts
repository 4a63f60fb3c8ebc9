import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask, session } from "../kit/api.ts";
import type { FormSchema } from "../kit/schema-form.tsx";
import { type Metrics, parseMetrics } from "./metrics.ts";

/** A page of a list, as the API answers all of them. */
export interface ListPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

/** Asks for JSON again and again, while it is shown. */
export function usePolled<T>(path: string, everyMs = 5_000) {
  return useQuery({
    queryKey: [path],
    queryFn: () => ask<T>(path),
    refetchInterval: everyMs,
    placeholderData: keepPreviousData,
  });
}

/** What the process that answers measures. */
export function useMetrics(everyMs = 5_000) {
  return useQuery({
    queryKey: ["/metrics"],
    queryFn: async (): Promise<Metrics> => parseMetrics(await (await session.ask("/metrics")).text()),
    refetchInterval: everyMs,
  });
}

/** An actor type: what can be said to its actors, and what they are found by. */
interface ActorTypeView {
  readonly index: readonly string[];
  readonly journal: boolean;
  readonly messages: readonly {
    readonly name: string;
    readonly kind: string;
    readonly input: FormSchema | null;
    readonly refuses: readonly string[];
  }[];
}

/** Asks for a type once: it stays as it is while the process runs. */
export function useActorType(type: string) {
  const path = `/actor-types/${encodeURIComponent(type)}`;
  return useQuery({ queryKey: [path], queryFn: () => ask<ActorTypeView>(path), staleTime: Infinity });
}

export interface Ready {
  readonly status: string;
  readonly components: readonly {
    readonly name: string;
    readonly status: string;
    readonly address: string | null;
    readonly how: string;
  }[];
}

export interface Actors {
  readonly types: readonly {
    readonly type: string;
    readonly store: string;
    readonly inMemory: number;
    readonly mailboxDepth: number;
  }[];
  readonly nodes: readonly {
    readonly id: string;
    readonly address: string | null;
    readonly owns: boolean;
    readonly since: string;
    readonly leaseAgeMs: number;
    readonly answered: boolean;
    readonly inMemory: number | null;
    readonly partitions: number;
  }[];
  readonly subscriptions: readonly {
    readonly actor: string;
    readonly source: string;
    readonly node: string | null;
    readonly inFlight: number;
    readonly lag: number | null;
    readonly failing: string | null;
  }[];
  readonly stores: readonly {
    readonly store: string;
    readonly types: readonly string[];
    readonly partitions: readonly {
      readonly partition: number;
      readonly node: string | null;
      readonly epoch: number;
    }[];
  }[];
}

export interface DeadLetter {
  readonly id: string;
  readonly reason: string;
  readonly detail: string;
  readonly type: string | null;
  readonly target: string;
  readonly key: string;
  readonly attempts: number;
  readonly at: string;
  readonly editedAt: string | null;
}

export interface WorkflowSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

export interface Service {
  readonly name: string;
  readonly desired: { readonly replicas: number; readonly image: string; readonly revision: string };
  readonly observed: readonly {
    readonly containerId: string;
    readonly host?: string;
    readonly replica: number;
    readonly revision: string;
    readonly state: string;
    readonly healthy: boolean;
    readonly hostPorts: readonly number[];
    readonly startedAt: string | null;
    readonly restarts: number;
  }[];
  readonly status: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly severity?: "trouble" | "note";
    readonly message: string;
    readonly lastTransitionTime?: string | null;
  }[];
  readonly paused?: boolean;
}
