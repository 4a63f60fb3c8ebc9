import type { Broker } from "#infra/base/brokers.ts";
import type { Server } from "./history.ts";

/** What a fault does. */
export type Action =
  /** A broker is killed, or made to hang with its sockets open, and is back on the same data after a while. */
  | { readonly kind: "away"; readonly broker: Broker; readonly how: "kill" | "hang" }
  /** The app ends itself at this point of its work, and is started again. */
  | { readonly kind: "failpoint"; readonly name: "after-commit" | "after-publish" }
  /** Postgres stops at once, as with `pg_ctl stop -m immediate`, and is started again. */
  | { readonly kind: "postgres-restart" }
  /** Every connection to Postgres is ended from its side. */
  | { readonly kind: "postgres-backends" };

/** The outages by name. */
export const OUTAGES = {
  nats: { kind: "away", broker: "nats", how: "kill" },
  kafka: { kind: "away", broker: "kafka", how: "kill" },
  rabbitmq: { kind: "away", broker: "rabbitmq", how: "kill" },
  redis: { kind: "away", broker: "redis", how: "kill" },
  "nats-hangs": { kind: "away", broker: "nats", how: "hang" },
  "kafka-hangs": { kind: "away", broker: "kafka", how: "hang" },
  "rabbitmq-hangs": { kind: "away", broker: "rabbitmq", how: "hang" },
  "redis-hangs": { kind: "away", broker: "redis", how: "hang" },
  "after-commit": { kind: "failpoint", name: "after-commit" },
  "after-publish": { kind: "failpoint", name: "after-publish" },
  "postgres-restart": { kind: "postgres-restart" },
  "postgres-backends": { kind: "postgres-backends" },
} as const satisfies Readonly<Record<string, Action>>;

export type Outage = keyof typeof OUTAGES;
export const OUTAGE_NAMES = Object.keys(OUTAGES) as readonly Outage[];

/** What is away as a whole while an action lasts. */
export function awayIn(action: Action): Server | undefined {
  if (action.kind === "away") return action.broker;
  return action.kind === "postgres-restart" ? "postgres" : undefined;
}
