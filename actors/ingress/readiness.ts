/**
 * Readiness: what this process needs, whether each of it answers, and what to do where it does not.
 *
 * R1 Every check runs beside the others and has a deadline: a hanging server costs the answer 2 s, once.
 * R2 An answer is kept for a second, and requests that come meanwhile share one round of checks.
 * R3 Only what is needed and has an address can make the whole unready.
 */
import { within } from "#infra/base/deadline.ts";

/** One thing this process talks to. */
export interface Component {
  readonly name: "postgres" | "nats" | "kafka" | "rabbitmq" | "redis" | "temporal" | "docker" | "worker";
  /** Shown as it is: without credentials. `null`: none is configured, and nothing is checked. */
  readonly address: string | null;
  /** Whether the process is of use without it. */
  readonly needed: boolean;
  /** What to do while it is down, or absent. */
  readonly fix: string;
  /** Resolves when it answers. A rejection with a text `remedy` says better than `fix` what to do. */
  check(): Promise<void>;
}

/** How one component stands. */
export interface ComponentState {
  readonly name: Component["name"];
  readonly status: "up" | "down" | "absent";
  readonly address: string | null;
  /** What to do about it; empty when it is up. */
  readonly how: string;
}

/** What `GET /ready` answers. */
export interface Readiness {
  readonly status: "ready" | "unavailable";
  readonly components: readonly ComponentState[];
}

/** What {@link readinessOf} may be told. */
export interface ReadinessOptions {
  /** How long one check may take, in milliseconds. @default 2_000 */
  readonly deadlineMs?: number;
  /** How long an answer is kept, in milliseconds. @default 1_000 */
  readonly keepMs?: number;
  /** Milliseconds that never go back. @default performance.now */
  readonly now?: () => number;
}

/** Makes the function behind `GET /ready`. */
export function readinessOf(
  components: readonly Component[],
  options: ReadinessOptions = {},
): () => Promise<Readiness> {
  const { deadlineMs = 2_000, keepMs = 1_000, now = () => performance.now() } = options;
  let latest: { readonly until: number; readonly answer: Promise<Readiness> } | undefined;
  return () => {
    if (latest === undefined || now() >= latest.until) {
      const answer = checkAll(components, deadlineMs);
      const entry = { until: Number.POSITIVE_INFINITY, answer };
      latest = entry; // Readiness.R2
      void answer.then(() => {
        if (latest === entry) latest = { answer, until: now() + keepMs };
      });
    }
    return latest.answer;
  };
}

async function checkAll(components: readonly Component[], deadlineMs: number): Promise<Readiness> {
  const states = await Promise.all(components.map((component) => stateOf(component, deadlineMs)));
  const missing = states.some(({ status }, i) => status === "down" && components[i]?.needed === true); // Readiness.R3
  return { status: missing ? "unavailable" : "ready", components: states };
}

async function stateOf({ name, address, fix, check }: Component, deadlineMs: number): Promise<ComponentState> {
  if (address === null) return { name, status: "absent", address, how: fix };
  try {
    await within(deadlineMs, check(), () => new Error(`no answer within ${deadlineMs} ms`)); // Readiness.R1
    return { name, status: "up", address, how: "" };
  } catch (error) {
    return { name, status: "down", address, how: remedyOf(error) ?? fix };
  }
}

/** What the error itself knows to be done: an answer that is no, as of a broker that blocks publishers. */
function remedyOf(error: unknown): string | undefined {
  return error instanceof Error && "remedy" in error && typeof error.remedy === "string" ? error.remedy : undefined;
}
