import * as v from "valibot";
import { actor } from "#runtime";
import type { TurnContext } from "#runtime";
import { Job } from "../job/job.ts";
import type { ConfigureJob } from "../job/messages.ts";
import { Service } from "../service/service.ts";
import { diff } from "./diff.ts";
import {
  ApplyConfig,
  ConfigApplied,
  ConfigServices,
  ConfigView,
  Gateway,
  GatewayRule,
  DropService,
  RevisionSummary,
  RepairServices,
  RevisionPair,
  RollbackTo,
  ScaleService,
} from "./messages.ts";
import type { Cause } from "./messages.ts";

export { fileForm } from "./file-form.ts";
export { gatewayForm } from "./gateway.ts";
export { parseConfig } from "./parse.ts";
export { DEFAULT_POLICY, policyFromEnv } from "./policy.ts";
export type { ConfigPolicy } from "./policy.ts";

/** Revisions that can be gone back to. Large files keep fewer, so that the state stays within its limit. */
const MAX_REVISIONS = 50;
const MAX_HISTORY_LENGTH = 400_000;

const Revision = v.object({ ...RevisionSummary.entries, content: ConfigServices, gateway: Gateway });
const State = v.object({
  revision: v.number(),
  services: ConfigServices,
  gateway: Gateway,
  /** Whether events of services come back over a broker, as the last file's process knew it. */
  echoed: v.optional(v.boolean(), false),
  history: v.array(Revision),
});
type State = v.InferOutput<typeof State>;

/**
 * `config/main`: the configuration of the orchestrator, in numbered revisions. Every change of a service's desired
 * state goes through here, single ones too, so that a revision always tells the whole truth. The new revision and the
 * messages to the services it changes are one commit; a service left out of a file is removed.
 */
export const Config = actor("config", {
  key: v.literal("main"),
  state: State,
  initial: (): State => ({ revision: 0, services: {}, gateway: [], echoed: false, history: [] }),
  messages: ({ command, query }) => ({
    /** Takes a whole file. */
    apply: command({ in: ApplyConfig, out: ConfigApplied }, (c, { services, gateway, expected, echoed }) => {
      c.require(expected === null || expected === c.state.revision, "revision_moved", { revision: c.state.revision });
      if (echoed !== undefined) c.state.echoed = echoed;
      // A service that is the same is told all the same: the tag of its image may lead elsewhere by now.
      for (const [name, service] of Object.entries(services)) {
        if (service.job === undefined && Bun.deepEquals(c.state.services[name], service, true))
          c.send(Service, name, "configure", { ...service, configRevision: c.state.revision, echoed: c.state.echoed });
      }
      return change(c, "apply", services, gateway);
    }),

    /** What {@link apply} would do. */
    plan: query({ in: ApplyConfig, out: ConfigApplied }, (c, { services, gateway }) => {
      const changes = diff(c.state.services, services);
      const ruled = !Bun.deepEquals(c.state.gateway, gateway, true);
      return {
        revision: c.state.revision + (ruled || changes.some((s) => s.change !== "unchanged") ? 1 : 0),
        services: changes,
      };
    }),

    /** Takes an earlier revision's content as a new revision. */
    rollback: command({ in: RollbackTo, out: ConfigApplied }, (c, { revision, expected }) => {
      c.require(expected === null || expected === c.state.revision, "revision_moved", { revision: c.state.revision });
      const earlier = c.state.history.find((entry) => entry.revision === revision);
      if (!earlier) return c.refuse("unknown_revision", { revision });
      return change(c, "rollback", earlier.content, earlier.gateway);
    }),

    /** Changes the number of replicas of one service. */
    scale: command({ in: ScaleService, out: ConfigApplied }, (c, { name, replicas }) => {
      const service = Object.hasOwn(c.state.services, name) ? c.state.services[name] : undefined;
      if (!service || service.job !== undefined) return c.refuse("unknown_service", { name });
      const pinned = service.spec.ports.find((port) => port.host !== null);
      c.require(replicas <= 1 || !pinned, "port_pinned", { name, port: pinned?.host });
      return change(c, "scale", { ...c.state.services, [name]: { ...service, replicas } });
    }),

    /** Removes one service. */
    drop: command({ in: DropService, out: ConfigApplied }, (c, { name }) => {
      c.require(Object.hasOwn(c.state.services, name), "unknown_service", { name });
      const { [name]: _dropped, ...rest } = c.state.services;
      return change(c, "remove", rest);
    }),

    /**
     * Tells every service again what it is to be, for those that have lost a message. A service that is as it should be
     * takes no notice. `echoed`: whether the process has Kafka now.
     */
    repair: command({ in: RepairServices }, (c, { services, echoed }) => {
      const { revision } = c.state;
      if (echoed !== undefined) c.state.echoed = echoed;
      for (const name of services) {
        if (!Object.hasOwn(c.state.services, name) || c.state.services[name]?.job !== undefined)
          c.send(Service, name, "remove", { configRevision: revision });
      }
      for (const [name, service] of Object.entries(c.state.services)) {
        if (service.job !== undefined) c.send(Job, name, "configure", jobOf(service, revision));
        else c.send(Service, name, "confirm", { ...service, configRevision: revision, echoed: c.state.echoed });
      }
    }),

    /** The configuration in force. */
    get: query({ out: ConfigView }, ({ state }) => ({
      revision: state.revision,
      at: state.history.at(-1)?.at ?? null,
      services: state.services,
      gateway: state.gateway,
    })),

    /** Which paths lead to which services. */
    gateway: query({ out: v.array(GatewayRule) }, ({ state }) => state.gateway),

    /** What a kept revision asks for, and the one before; `null`: it is not kept. */
    revision: query({ in: v.number(), out: v.nullable(RevisionPair) }, ({ state }, revision) => {
      const at = state.history.findIndex((entry) => entry.revision === revision);
      const [entry, before] = [state.history[at], state.history[at - 1]];
      if (entry === undefined) return null;
      const first = entry.revision === 1 ? { revision: 0, services: {} } : null;
      return {
        revision,
        services: entry.content,
        gateway: entry.gateway,
        before: before === undefined ? first : { revision: before.revision, services: before.content },
      };
    }),

    /** The kept revisions, newest first. */
    revisions: query({ out: v.array(RevisionSummary) }, ({ state }) =>
      state.history.map(({ content: _content, gateway: _gateway, ...summary }) => summary).reverse(),
    ),
  }),
});

/** Puts `services` in force as a new revision, and tells the services that it changes. Nothing changed: no revision. */
function change(
  c: TurnContext<State, Record<never, never>>,
  cause: Cause,
  services: ConfigServices,
  gateway: State["gateway"] = c.state.gateway,
): ConfigApplied {
  const changes = diff(c.state.services, services);
  const changed = changes.filter((entry) => entry.change !== "unchanged");
  const ruled = !Bun.deepEquals(c.state.gateway, gateway, true);
  if (changed.length === 0 && !ruled) return { revision: c.state.revision, services: changes };

  const revision = c.state.revision + 1;
  for (const { name } of changed) {
    const [before, service] = [c.state.services[name], services[name]];
    // Of a service that has become a job nothing goes on as a service, and the other way round.
    if (before && (!service || (before.job === undefined) !== (service.job === undefined)))
      c.send(before.job === undefined ? Service : Job, name, "remove", { configRevision: revision });
    if (service?.job !== undefined) c.send(Job, name, "configure", jobOf(service, revision));
    else if (service)
      c.send(Service, name, "configure", { ...service, configRevision: revision, echoed: c.state.echoed });
  }
  const entry = {
    revision,
    at: new Date(c.now).toISOString(),
    cause,
    services: Object.keys(services).sort(),
    changed: changed.map(({ name, change: kind }) => ({ name, change: kind })),
    content: services,
    gateway: [...gateway],
  };
  if (ruled) c.broadcast("routes", "gateway.changed", { revision });
  c.state = { ...c.state, revision, services, gateway: [...gateway], history: bounded([...c.state.history, entry]) };
  return { revision, services: changes };
}

function jobOf(
  { spec, job, stop }: ConfigServices[string],
  configRevision: number,
): v.InferOutput<typeof ConfigureJob> {
  if (job === undefined) throw new TypeError("Cannot make a job of a service");
  return { spec, job, graceMs: stop.graceMs, configRevision };
}

/** The newest revisions that fit; the one in force always does. */
function bounded(history: State["history"]): State["history"] {
  let length = 0;
  const first = history.length - MAX_REVISIONS;
  let from = history.length;
  while (from > Math.max(first, 0)) {
    length += JSON.stringify(history[from - 1]).length;
    // There is always one to go back to.
    if (length > MAX_HISTORY_LENGTH && from < history.length - 1) break;
    from--;
  }
  return history.slice(from);
}
