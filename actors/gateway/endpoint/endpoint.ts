/**
 * Endpoint: an HTTP receiver of events, with the secrets that sign for it.
 *
 * Owns: whether a delivery may go now (enabled, rate, circuit), the secrets, the last attempts. Does not own: the way of one
 * delivery; the workflow `deliverWebhook` goes it, asks here before each try and tells here what came of it.
 *
 * N1 Secrets are in the state alone, sealed: shown once, by the reply that made them; never in an event, broadcast or list.
 * N2 During a rotation both secrets sign, until the overlap is over.
 * N3 After 5 failures in a row the circuit opens: tries wait, longer with each failure, and then one goes ahead.
 * N4 Nothing but failures for 5 days disables it; somebody has to enable it again.
 */
import * as v from "valibot";
import { EndpointId, typeMatches } from "#actors/gateway/route/messages.ts";
import { plainBox, type SecretBox } from "#infra/secrets/secret-box.ts";
import { newSecret } from "#infra/webhooks/signing-key.ts";
import { actor } from "#runtime";
import {
  AskDelivery,
  Attempt,
  ChangeEndpoint,
  CreateEndpoint,
  DeliveryTurn,
  DisabledReason,
  EndpointView,
  EndpointWithSecret,
  RecordAttempt,
  SigningMaterial,
} from "./messages.ts";

const Secret = v.object({ secret: v.string(), until: v.nullable(v.number()) });
const Circuit = v.object({ failures: v.number(), openUntil: v.number() });
const State = v.object({
  config: v.nullable(CreateEndpoint),
  disabled: v.nullable(DisabledReason),
  createdAt: v.string(),
  /** The newest first. */
  secrets: v.array(Secret),
  attempts: v.array(Attempt),
  circuit: Circuit,
  failingSince: v.nullable(v.number()),
  /** When the next delivery has its place within the rate. */
  nextAt: v.number(),
});
type State = v.InferOutput<typeof State>;

const MAX_ATTEMPTS_KEPT = 50;
const MAX_SECRETS = 3;
const OPENS_AFTER = 5;
const OPEN_MIN_MS = 30_000;
const OPEN_MAX_MS = 1_800_000;
/** How long the one that goes ahead has, before another does. */
const PROBE_MS = 20_000;
const DISABLED_AFTER_MS = 5 * 24 * 3_600_000;

/** Makes `endpoint/<id>`. Its secrets are sealed for the place of that name, also in its replies: whoever has the box opens them. */
export function createEndpoint({ seal }: Pick<SecretBox, "seal">) {
  return actor("endpoint", {
    key: EndpointId,
    state: State,
    initial: (): State => ({
      config: null,
      disabled: null,
      createdAt: "",
      secrets: [],
      attempts: [],
      circuit: { failures: 0, openUntil: 0 },
      failingSince: null,
      nextAt: 0,
    }),
    messages: ({ command, query }) => ({
      create: command({ in: CreateEndpoint, out: EndpointWithSecret }, async (c, config) => {
        c.require(c.state.config === null, "already_there");
        const secret = await seal(newSecret(), `endpoint/${c.key}`);
        c.state.config = config;
        c.state.createdAt = new Date(c.now).toISOString();
        c.state.secrets = [{ secret, until: null }];
        return { ...viewOf(c.key, c.state, config, c.now), secret }; // Endpoint.N1
      }),

      /** Refused with `unknown_endpoint`. */
      change: command({ in: ChangeEndpoint, out: EndpointView }, (c, { enabled, ...settings }) => {
        if (c.state.config === null) return c.refuse("unknown_endpoint");
        const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
        c.state.config = { ...c.state.config, ...given };
        if (enabled === false) c.state.disabled ??= "manual";
        if (enabled === true) {
          c.state.disabled = null;
          c.state.failingSince = null;
          c.state.circuit = { failures: 0, openUntil: 0 };
        }
        return viewOf(c.key, c.state, c.state.config, c.now);
      }),

      /** Makes a new secret; the old ones sign on for `overlapMs`. Refused with `unknown_endpoint`. */
      rotate: command(
        { in: v.strictObject({ overlapMs: v.number() }), out: EndpointWithSecret },
        async (c, { overlapMs }) => {
          if (c.state.config === null) return c.refuse("unknown_endpoint");
          const secret = await seal(newSecret(), `endpoint/${c.key}`);
          const until = c.now + overlapMs;
          const old = live(c.state, c.now).map((one) => ({ ...one, until: Math.min(one.until ?? until, until) })); // Endpoint.N2
          c.state.secrets = [{ secret, until: null }, ...old.filter((one) => one.until > c.now)].slice(0, MAX_SECRETS);
          return { ...viewOf(c.key, c.state, c.state.config, c.now), secret };
        },
      ),

      /** Refused with `unknown_endpoint`. Deliveries under way end with their next try. */
      remove: command({}, (c) => {
        c.require(c.state.config !== null, "unknown_endpoint");
        c.destroy();
      }),

      /** Whether a delivery may go now. Saying `go` or `wait` takes a place within the rate. */
      ask: command({ in: AskDelivery, out: DeliveryTurn }, (c, { eventType, reserved }): DeliveryTurn => {
        const { config, disabled, circuit } = c.state;
        if (config === null) return { kind: "stop", because: "removed" };
        if (disabled !== null) return { kind: "stop", because: "disabled" };
        if (config.types.length > 0 && !config.types.some((pattern) => typeMatches(eventType, pattern)))
          return { kind: "stop", because: "filtered" };
        if (circuit.openUntil > c.now) return { kind: "wait", ms: circuit.openUntil - c.now, reserved };
        if (circuit.failures >= OPENS_AFTER) circuit.openUntil = c.now + PROBE_MS; // Endpoint.N3: this one goes ahead
        if (config.ratePerSecond === null || reserved) return { kind: "go" };
        const at = Math.max(c.now, c.state.nextAt);
        c.state.nextAt = at + Math.ceil(1_000 / config.ratePerSecond);
        return at > c.now ? { kind: "wait", ms: at - c.now, reserved: true } : { kind: "go" };
      }),

      /** What came of a try. */
      record: command({ in: RecordAttempt }, (c, attempt) => {
        const s = c.state;
        if (s.config === null) return;
        s.attempts = [{ ...attempt, at: new Date(c.now).toISOString() }, ...s.attempts].slice(0, MAX_ATTEMPTS_KEPT);
        if (attempt.outcome === "delivered") {
          s.failingSince = null;
          s.circuit = { failures: 0, openUntil: 0 };
          return;
        }
        s.failingSince ??= c.now;
        const failures = s.circuit.failures + 1;
        const openMs = Math.min(OPEN_MAX_MS, OPEN_MIN_MS * 2 ** Math.max(0, failures - OPENS_AFTER));
        s.circuit = { failures, openUntil: failures >= OPENS_AFTER ? c.now + openMs : 0 };
        if (attempt.status === 410) s.disabled ??= "gone";
        else if (c.now - s.failingSince >= DISABLED_AFTER_MS) s.disabled ??= "failing"; // Endpoint.N4
      }),

      get: query({ out: v.nullable(EndpointView) }, ({ key, state, now }) =>
        state.config === null ? null : viewOf(key, state, state.config, now),
      ),
      attempts: query({ out: v.nullable(v.array(Attempt)) }, ({ state }) =>
        state.config === null ? null : state.attempts,
      ),
      /** For the worker that signs. */
      signing: query({ out: SigningMaterial }, ({ state, now }) =>
        state.config === null ? null : { url: state.config.url, secrets: live(state, now).map(({ secret }) => secret) },
      ),
    }),
  });
}

/** The endpoint actor as a name for `troupe.ref`; the one that runs is made with its node's box. */
export const Endpoint = createEndpoint(plainBox);

/** What the outside sees of an endpoint. Also made from a listed state. */
export function viewOf(id: string, state: Readonly<State>, config: CreateEndpoint, now: number): EndpointView {
  return {
    id,
    ...config,
    enabled: state.disabled === null,
    disabledBecause: state.disabled,
    failingSince: state.failingSince === null ? null : new Date(state.failingSince).toISOString(),
    secretCount: live(state, now).length,
    createdAt: state.createdAt,
  };
}

function live({ secrets }: Readonly<State>, now: number): State["secrets"] {
  return secrets.filter(({ until }) => until === null || until > now);
}
