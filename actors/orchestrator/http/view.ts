import type * as v from "valibot";
import type { ConfigServices } from "#actors/orchestrator/config/messages.ts";
import type { ServiceView } from "#actors/orchestrator/service/messages.ts";
import { revisionOf } from "#actors/orchestrator/service/service.ts";
import type { ServiceAnswer } from "./answers.ts";

/** A service that the configuration asks for, but that has not got its message yet. */
export function onItsWay(name: string, services: ConfigServices): ServiceView | null {
  const service = Object.hasOwn(services, name) ? services[name] : undefined;
  if (!service || service.job !== undefined) return null;
  const { spec, replicas } = service;
  return {
    name,
    desired: { replicas, image: spec.image, revision: revisionOf(spec), generation: 0, configRevision: 0 },
    observed: [],
    status: "progressing",
    conditions: [],
    outbox: "PENDING",
    removed: false,
    paused: false,
  };
}

/** What is shown of a service; `undefined` where there is none. */
export function publicView(view: ServiceView | null): v.InferInput<typeof ServiceAnswer> | undefined {
  if (!view) return undefined;
  const { name, desired, observed, status, conditions, outbox, paused } = view;
  const { replicas, image, revision } = desired;
  return { name, desired: { replicas, image, revision }, observed, status, conditions, outbox, paused };
}
