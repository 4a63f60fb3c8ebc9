import * as v from "valibot";
import { actor, subscription } from "#runtime";
import {
  ConfigureService,
  Decision,
  DesiredService,
  RemoveService,
  ReportService,
  RevisionSpec,
  RouteTable,
  ServiceConfigured,
  ServiceDegraded,
  ServiceEvent,
  ServiceName,
  ServiceReconciled,
  ServiceView,
} from "./messages.ts";
import { revisionOf } from "./revision.ts";
import { desiredOf, initialState, replicasOf, routesOf, specOf, State, viewOf } from "./state.ts";
import { changed, deploy, fallBack, hold, isAbsent, judge, reconcile, route } from "./transitions.ts";

export { revisionOf, viewOf };

const MAX_DECISIONS = 50;
/** A revision is judged by no fewer requests, and taken back when so many more of its requests fail. */
const TRIAL_REQUESTS = 20;
const TRIAL_MARGIN = 0.05;
const Generation = v.object({ generation: v.number(), revision: v.string() });

/**
 * `service/<name>`: the desired state of one service, and what was last seen of it. A change of the desired state, its
 * event and the wake-up of the reconcile loop are one commit: a change is never forgotten, nor acted on before it is durable.
 */
export const Service = actor("service", {
  key: ServiceName,
  state: State,
  initial: initialState,
  emits: {
    "service.configured.v1": ServiceConfigured,
    "service.reconciled.v1": ServiceReconciled,
    "service.degraded.v1": ServiceDegraded,
  },
  subscribe: {
    "service.reconciled.v1": subscription(ServiceReconciled, {
      from: "service",
      to: ({ data }) => data.name,
      send: "heard",
      with: ({ data }) => ({ generation: data.generation }),
    }),
  },
  messages: ({ command, query }) => ({
    /**
     * Sets the desired state. The same state again changes nothing but still wakes the loop, which looks whether the tag
     * of the image has moved. An older configuration than the one in force is passed over.
     */
    configure: command({ in: ConfigureService, out: Generation }, (c, { configRevision, echoed, ...config }) => {
      const s = c.state;
      if (echoed !== undefined) s.echoedGeneration = echoed ? (s.echoedGeneration ?? 0) : null;
      const { spec, replicas, update, scale, dependsOn, stop } = config;
      if (configRevision < s.configRevision) return { generation: s.generation, revision: s.revision };
      const fresh = s.spec === null || s.removed;
      const remade = fresh || !Bun.deepEquals(s.spec, spec, true);
      const policies = { update, scale, dependsOn, graceMs: stop.graceMs };
      const { update: u, scale: sc, dependsOn: d, graceMs } = s;
      const same = Bun.deepEquals({ update: u, scale: sc, dependsOn: d, graceMs }, policies, true);
      if (!remade && same && s.replicas === replicas) {
        if (configRevision > s.configRevision) s.configRevision = configRevision;
        s.lookForImage = true;
        c.workflow.signalWithStart(reconcile(c.key));
        return { generation: s.generation, revision: s.revision };
      }
      c.state = { ...s, ...policies, spec, replicas, configRevision, removed: false };
      // A number that is asked for by hand counts until the autoscaler decides anew.
      if (s.replicas !== replicas || fresh) c.state.scaled = null;
      if (fresh) c.state = { ...c.state, deployed: 0, good: null, canary: null, failed: null, paused: false };
      if (remade) deploy(c, spec, fresh ? 0 : c.state.deployed);
      changed(
        c,
        configRevision,
        remade ? `revision ${c.state.revision}, ${replicas} replicas` : `${replicas} replicas`,
      );
      return { generation: c.state.generation, revision: c.state.revision };
    }),

    /**
     * As {@link configure}, from a sweep: where nothing is to be changed nothing happens at all. A broker that is no longer
     * there is not waited for; one that has come is from the next change on.
     */
    confirm: command({ in: ConfigureService }, (c, config) => {
      const { configRevision, echoed, ...asked } = config;
      if (echoed === false && c.state.echoedGeneration !== null) c.state.echoedGeneration = null;
      const { spec, replicas, update, scale, dependsOn, graceMs, removed } = c.state;
      const present = { spec, replicas, update, scale, dependsOn, stop: { graceMs } };
      if (!removed && Bun.deepEquals(present, asked, true)) return;
      if (configRevision >= c.state.configRevision) c.send(Service, c.key, "configure", config);
    }),

    /** Asks for the end of the service: its containers are removed, then the loop ends. */
    remove: command({ in: RemoveService, out: v.object({ generation: v.number() }) }, (c, { configRevision }) => {
      const s = c.state;
      if (!isAbsent(c) && !s.removed && configRevision >= s.configRevision) {
        c.state = { ...s, removed: true, replicas: 0, scaled: null, canary: null, paused: false, configRevision };
        changed(c, configRevision, "removed");
      }
      return { generation: c.state.generation };
    }),

    /** Makes every container anew, one after the other, from the same spec; `redeploy` looks at the image's tag again, too. */
    restart: command({ in: v.object({ why: v.string() }), out: Generation }, (c, { why }) => {
      const s = c.state;
      if (s.spec === null || s.removed) return c.refuse("unknown_service");
      deploy(c, s.spec, s.deployed + 1);
      changed(c, s.configRevision, why);
      return { generation: c.state.generation, revision: c.state.revision };
    }),

    /** No further step of an update until {@link resume}. */
    pause: command({}, (c) => hold(c, true)),
    resume: command({}, (c) => hold(c, false)),

    /** Gives the revision that is tried to everybody. */
    promote: command({}, (c) => {
      const s = c.state;
      c.require(s.canary !== null, "no_canary");
      c.state = { ...s, canary: null, since: c.now };
      changed(c, s.configRevision, `revision ${s.revision} was promoted`);
    }),

    /** Takes an update that is under way back: the last good revision runs again. */
    abort: command({ in: v.object({ reason: v.string() }) }, (c, { reason }) => {
      const s = c.state;
      const back = s.canary ?? s.good;
      if (back === null || back.revision === s.revision) return c.refuse("no_update");
      fallBack(c, reason);
    }),

    /** What {@link abort} does, said by the loop about one revision: what it says late about another one changes nothing. */
    rollBack: command({ in: v.object({ revision: v.string(), reason: v.string() }) }, (c, { revision, reason }) => {
      if (isAbsent(c)) return;
      if (c.state.revision === revision && (c.state.canary ?? c.state.good) !== null) fallBack(c, reason);
    }),

    /** The autoscaler's decision. */
    scaleTo: command({ in: v.object({ replicas: v.number(), decision: Decision }) }, (c, { replicas, decision }) => {
      const s = c.state;
      if (isAbsent(c) || s.removed || s.scale === null) return;
      const before = replicasOf(s);
      s.decisions = [...s.decisions, decision].slice(-MAX_DECISIONS);
      s.scaled = replicas;
      if (replicasOf(s) !== before) changed(c, s.configRevision, `${replicasOf(s)} replicas: ${decision.reason}`);
    }),

    /** A request has come to a service that sleeps. */
    awake: command({}, (c) => {
      const s = c.state;
      if (isAbsent(c) || s.removed || s.scale === null || replicasOf(s) > 0) return;
      const replicas = Math.max(1, s.scale.min);
      const reason = "a request has come";
      const decision = { at: new Date(c.now).toISOString(), from: 0, to: replicas, reason, metrics: {} };
      s.decisions = [...s.decisions, decision].slice(-MAX_DECISIONS);
      s.scaled = replicas;
      changed(c, s.configRevision, `${replicas} replicas: ${reason}`);
    }),

    /** Takes containers out of the rotation, or puts them back. */
    rotate: command({ in: v.object({ out: v.array(v.string()), back: v.array(v.string()) }) }, (c, { out, back }) => {
      if (isAbsent(c)) return;
      const draining = { ...c.state.draining };
      for (const id of out) draining[id] ??= { since: c.now, open: {} };
      for (const id of back) delete draining[id];
      c.state.draining = draining;
      route(c);
    }),

    /** How many requests a node still has with a container that is out of the rotation. */
    holds: command({ in: v.object({ node: v.string(), containerId: v.string(), open: v.number() }) }, (c, hold) => {
      const entry = c.state.draining[hold.containerId];
      if (isAbsent(c) || !entry) return;
      if (hold.open > 0) entry.open[hold.node] = hold.open;
      else {
        delete entry.open[hold.node];
        c.workflow.signalWithStart(reconcile(c.key));
      }
    }),

    /**
     * What a node has seen of requests while a revision is tried. Where it fails clearly more often than the one that stays
     * it is taken back.
     */
    traffic: command(
      { in: v.object({ revisions: v.record(v.string(), v.object({ requests: v.number(), errors: v.number() })) }) },
      (c, { revisions }) => {
        const s = c.state;
        if (isAbsent(c) || s.canary === null) return;
        for (const [revision, { requests, errors }] of Object.entries(revisions)) {
          const side = revision === s.revision ? "tried" : revision === s.canary.revision ? "stays" : undefined;
          if (side === undefined) continue;
          const before = s.trial[side] ?? { requests: 0, errors: 0 };
          s.trial[side] = { requests: before.requests + requests, errors: before.errors + errors };
        }
        const [tried, stays] = [rateOf(s.trial.tried), rateOf(s.trial.stays)];
        if ((s.trial.tried?.requests ?? 0) >= TRIAL_REQUESTS && tried > stays + TRIAL_MARGIN)
          fallBack(c, `${percent(tried)} of its requests failed, of the others ${percent(stays)}`);
      },
    ),

    /** Keeps which image a revision runs on a host: another container of it runs the same, wherever its tag points. */
    fixImage: command(
      { in: v.object({ revision: v.string(), host: v.string(), imageId: v.string() }) },
      (c, { revision, host, imageId }) => {
        if (!isAbsent(c)) c.state.images[`${revision}/${host}`] ??= imageId;
      },
    ),

    /** A look at the image's tag, asked for by a new post, has found it unmoved (`null`) or elsewhere. */
    imageSeen: command({ in: v.object({ moved: v.boolean() }) }, (c, { moved }) => {
      const s = c.state;
      s.lookForImage = false;
      if (isAbsent(c) || !moved || s.spec === null || s.removed) return;
      deploy(c, s.spec, s.deployed + 1);
      changed(c, s.configRevision, `the tag ${s.spec.image} has moved`);
    }),

    /** Records what the reconcile loop saw. A report about an older generation does not decide the status. */
    report: command({ in: ReportService }, (c, report) => {
      const s = c.state;
      if (isAbsent(c)) return;
      const routes = JSON.stringify(routesOf(s));
      if (report.observed !== null) {
        const { observed } = report;
        s.observed = observed;
        const gone = Object.keys(s.draining).filter((id) => !observed.some((one) => one.containerId === id));
        for (const id of gone) delete s.draining[id];
      }
      s.seenGeneration = Math.max(s.seenGeneration, report.generation);
      if (report.generation === s.generation) judge(c, report.status, report.conditions);
      // A removed service whose containers are gone leaves nothing behind.
      if (s.removed && report.status === "converged" && report.generation === s.generation) c.destroy();
      else if (JSON.stringify(routesOf(c.state)) !== routes) route(c);
    }),

    /** The event that a generation was reached has come back over the broker. */
    heard: command({ in: v.object({ generation: v.number() }) }, (c, { generation }) => {
      if (isAbsent(c) || c.state.echoedGeneration === null) return;
      c.state.echoedGeneration = Math.max(c.state.echoedGeneration, generation);
    }),

    desired: query({ out: DesiredService }, ({ state }) => desiredOf(state)),

    /** What the containers of a revision are made of; `null`: no such revision. */
    revision: query({ in: v.string(), out: v.nullable(RevisionSpec) }, ({ state }, revision) => {
      const spec = specOf(state, revision);
      if (spec === null) return null;
      const images = Object.entries(state.images)
        .filter(([key]) => key.startsWith(`${revision}/`))
        .map(([key, id]) => [key.slice(revision.length + 1), id] as const);
      return { spec, images: Object.fromEntries(images) };
    }),

    routes: query({ out: v.nullable(RouteTable) }, ({ state }) =>
      state.spec === null || state.removed ? null : routesOf(state),
    ),

    get: query({ out: v.nullable(ServiceView) }, ({ key, state }) => viewOf(key, state)),

    /** What happened lately, newest first. */
    events: query({ out: v.array(ServiceEvent) }, ({ state }) => state.events.toReversed()),

    /** Why there are so many replicas: the decisions, newest first. */
    explain: query(
      { out: v.object({ replicas: v.number(), configured: v.number(), decisions: v.array(Decision) }) },
      ({ state }) => ({
        replicas: replicasOf(state),
        configured: state.replicas,
        decisions: state.decisions.toReversed(),
      }),
    ),
  }),
});

function rateOf(counts: { requests: number; errors: number } | undefined): number {
  return counts === undefined || counts.requests === 0 ? 0 : counts.errors / counts.requests;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
