/**
 * One remote actor as a page shows it: its newest durable state, and on top of it what is still on its way.
 *
 * Owns: one stream while somebody looks, the calls that were made through it. Does not own: how a call is repeated (the client).
 *
 * A1 All that look at the same actor share one stream.
 * A2 A change that is shown before it is durable is taken back when the call fails.
 * A3 While such calls are under way the state beneath them stays: what the server says meanwhile may hold them already, and
 *    would show them twice. It is taken over when all have ended and it is as far as they are, at the latest after 2 s.
 */
import type { AnyActorType } from "#runtime";
import type { Client } from "../client/connect.ts";
import { CallError } from "../client/errors.ts";

/** What a page is shown of an actor. */
export interface ActorSnapshot {
  /** `connecting` until the first state; `failed` where the stream ended for good: see `error`. */
  readonly status: "connecting" | "live" | "failed";
  /** With what is on its way applied; `undefined` before the first state. */
  readonly state: unknown;
  readonly exists: boolean;
  /** The version of the durable state beneath it. */
  readonly version: number;
  /** Calls under way. */
  readonly pending: number;
  /** Why the stream ended, or the last call failed; `undefined` again with the next call. */
  readonly error: CallError | undefined;
}

interface Stored {
  readonly state: unknown;
  readonly version: number;
  readonly exists: boolean;
}

interface Change {
  apply(state: unknown): unknown;
  done: boolean;
}

type Ref = Readonly<Record<string, (input?: unknown) => Promise<unknown>>>;

/** How long a stream is kept for a component that waited for its first state and is about to be shown. */
const LINGER_MS = 5_000;
/** How long a state that is behind is waited for, once all calls have ended. */
const SETTLE_MS = 2_000;

export class ActorView {
  readonly #client: Client;
  readonly #actor: { readonly type: string };
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #watching: AbortController | undefined;
  #base: Stored | undefined;
  #newest: Stored | undefined;
  #changes: Change[] = [];
  #ready: Promise<void> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #snapshot: ActorSnapshot = {
    status: "connecting",
    state: undefined,
    exists: false,
    version: 0,
    pending: 0,
    error: undefined,
  };

  constructor(client: Client, actor: { readonly type: string }, key: string) {
    this.#client = client;
    this.#actor = actor;
    this.#key = key;
  }

  /** What is shown now. The same object until something changes. */
  readonly snapshot = (): ActorSnapshot => this.#snapshot;

  /** Hears of changes; the stream lasts as long as somebody does. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#watching === undefined) void this.#watch((this.#watching = new AbortController()));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#watching?.abort();
      this.#watching = undefined;
    };
  };

  /**
   * Resolves with the first state there is, rejects where there can be none. The same promise until then, so that a component
   * which waits with it finds it again; the stream is kept for a while for the one that will be shown.
   */
  ready(): Promise<void> {
    this.#ready ??= new Promise((resolve, reject) => {
      const look = (): void => {
        const { status, error } = this.#snapshot;
        if (status === "connecting") return;
        if (status === "failed") {
          this.#ready = undefined; // who comes later asks anew
          reject(error ?? new Error("The stream broke"));
        } else resolve();
        setTimeout(leave, LINGER_MS);
        this.#listeners.delete(look);
        this.#listeners.add(idle);
      };
      const idle = (): void => undefined;
      const stop = this.subscribe(look);
      const leave = (): void => {
        this.#listeners.delete(idle);
        stop();
      };
      look();
    });
    return this.#ready;
  }

  /** Calls a message. `change` shows its effect at once. Rejects as the client does. */
  async call(message: string, input: unknown, change?: (state: unknown) => unknown): Promise<unknown> {
    const made: Change | undefined = change && { apply: change, done: false };
    if (made !== undefined) this.#changes.push(made);
    this.#show({ pending: this.#snapshot.pending + 1, error: undefined });
    try {
      const ref = this.#client.ref(this.#actor as AnyActorType, this.#key) as unknown as Ref;
      const reply = await ref[message]?.(input);
      if (made !== undefined) made.done = true;
      this.#ended({});
      return reply;
    } catch (error) {
      this.#changes = this.#changes.filter((other) => other !== made); // ActorView.A2
      this.#ended(error instanceof CallError ? { error } : {});
      throw error;
    }
  }

  async #watch(watching: AbortController): Promise<void> {
    try {
      const states = this.#client.watch(this.#actor as never, this.#key, { signal: watching.signal });
      for await (const stored of states as AsyncIterable<Stored>) {
        this.#newest = stored;
        this.#settle();
        this.#show({ status: "live" });
      }
    } catch (error) {
      if (this.#watching !== watching) return;
      this.#show({
        status: "failed",
        error: error instanceof CallError ? error : new CallError("unreachable", "The stream broke", { cause: error }),
      });
    }
  }

  #ended(part: Partial<ActorSnapshot>): void {
    this.#settle();
    this.#show({ pending: this.#snapshot.pending - 1, ...part });
    if (this.#changes.length === 0 || this.#changes.some(({ done }) => !done)) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (this.#changes.some(({ done }) => !done)) return;
      this.#takeOver();
      this.#show({});
    }, SETTLE_MS);
  }

  /** ActorView.A3 */
  #settle(): void {
    if (this.#changes.some(({ done }) => !done)) return;
    const reached = (this.#base?.version ?? 0) + this.#changes.length;
    if (this.#changes.length === 0 || (this.#newest?.version ?? 0) >= reached) this.#takeOver();
  }

  #takeOver(): void {
    clearTimeout(this.#settling);
    this.#changes = [];
    this.#base = this.#newest;
  }

  #show(part: Partial<ActorSnapshot>): void {
    const base = this.#base;
    const shown =
      base === undefined
        ? {}
        : {
            state: this.#changes.reduce((state, change) => change.apply(state), base.state),
            version: base.version,
            exists: base.exists,
          };
    this.#snapshot = { ...this.#snapshot, ...shown, ...part };
    for (const listener of this.#listeners) listener();
  }
}

const views = new WeakMap<Client, Map<string, ActorView>>();
/** Views kept per client, at most; the oldest that nobody shows anew are forgotten first. */
const MAX_VIEWS = 1_000;

/** The view of an actor: the same one for all who ask. ActorView.A1 */
export function viewOf(client: Client, actor: { readonly type: string }, key: string): ActorView {
  let known = views.get(client);
  if (known === undefined) views.set(client, (known = new Map()));
  const address = `${actor.type}/${key}`;
  let view = known.get(address);
  if (view !== undefined) return view;
  view = new ActorView(client, actor, key);
  known.set(address, view);
  const [oldest] = known.keys();
  if (known.size > MAX_VIEWS && oldest !== undefined) known.delete(oldest);
  return view;
}
