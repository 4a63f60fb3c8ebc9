/** The servers that a stack starts, in the order they are shown. */
export const SERVER_NAMES = ["postgres", "nats", "kafka", "rabbitmq", "redis", "temporal", "docker"] as const;

/** A server that a stack starts. */
export type UsualServer = (typeof SERVER_NAMES)[number];

/** Every server the stack knows: the last ones are started for those alone who ask for them. */
export const EVERY_SERVER = [...SERVER_NAMES, "kubernetes"] as const;

/** One server of the stack. */
export type ServerName = (typeof EVERY_SERVER)[number];

/**
 * Where a running server came from.
 * `address`: named by the environment, never started or stopped by the stack; `socket`: an engine that was already on this machine;
 * `compose`: a container; `native`: a child process on loopback.
 */
export type How = "address" | "socket" | "compose" | "native";

/** Environment variables, as handed to the app: `{ NATS_URL: "nats://127.0.0.1:4222" }`. */
export type Env = Record<string, string>;

/**
 * What one server is doing.
 *
 * `pending` → (`obtaining` ↔ `waiting`) → `starting` → `running` → (`restarting` → `running`)* → `stopping` → `stopped`;
 * from any state before `running` to `missing`, which is final for the run.
 */
export type ServerState =
  | { readonly kind: "pending" }
  /** Held up by something else, e.g. another build. */
  | { readonly kind: "waiting"; readonly reason: string }
  /** Being downloaded, built or installed. */
  | { readonly kind: "obtaining"; readonly what: string; readonly progress?: string }
  | { readonly kind: "starting"; readonly how: How }
  | { readonly kind: "running"; readonly how: How; readonly address: string; readonly pid: number | undefined }
  | { readonly kind: "restarting"; readonly reason: string }
  /** Cannot be had. `fix` is one command, `log` the last lines the server wrote. */
  | { readonly kind: "missing"; readonly reason: string; readonly fix: string; readonly log: readonly string[] }
  | { readonly kind: "stopping" }
  | { readonly kind: "stopped" };

/** A change of one server's state; plain data, so that it can cross a process boundary. */
export interface StackEvent {
  readonly server: ServerName;
  readonly state: ServerState;
}

/** Is told every change of state, in order per server. Must not throw. */
export type Reporter = (event: StackEvent) => void;

/** A server that answers. `env` holds the variables it provides. */
export interface RunningServer {
  readonly name: ServerName;
  readonly how: How;
  /** What people connect to, e.g. `postgres://troupe:troupe@127.0.0.1:5432/troupe`. */
  readonly address: string;
  readonly env: Readonly<Env>;
  /** The process now serving, if the stack started one; changes when the server is restarted. */
  readonly pid: number | undefined;
  readonly logFile: string | undefined;
}

/** A server that could not be had, with the one command that would change that. */
export interface MissingServer {
  readonly server: ServerName;
  readonly reason: string;
  readonly fix: string;
}

/** Thrown by a recipe when its server cannot be had on this machine. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  readonly code = "server_unavailable";
  /** The one command that fixes it. */
  readonly fix: string;

  constructor(reason: string, fix: string, options?: ErrorOptions) {
    super(reason, options);
    this.fix = fix;
  }
}
