import type { ReportedActors } from "../activation/activation-directory.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { CrossingAsks } from "../calls/crossing-asks.ts";
import type { NodeAnswers, WayAhead } from "../calls/node-messages.ts";
import type { StoreHost } from "../host/store-host.ts";
import { TroupeError } from "../message/errors.ts";
import type { Subscriptions } from "../subscriptions/subscriptions.ts";
import type { Workers } from "../workers/workers.ts";

/** What the application of a node answers to the others, by name. The answers are JSON. */
export type ApplicationAnswers = Readonly<Record<string, (input: unknown) => unknown>>;

/** What this node answers to what other nodes ask of it itself. */
export class OwnAnswers implements NodeAnswers {
  readonly #hosts: readonly StoreHost[];
  readonly #subscriptions: Subscriptions;

  readonly #crossings: CrossingAsks;
  readonly #workers: Workers | undefined;
  readonly #application: ApplicationAnswers;

  constructor(
    hosts: readonly StoreHost[],
    subscriptions: Subscriptions,
    crossings: CrossingAsks,
    workers: Workers | undefined,
    application: ApplicationAnswers,
  ) {
    this.#workers = workers;
    this.#application = application;
    this.#hosts = hosts;
    this.#subscriptions = subscriptions;
    this.#crossings = crossings;
  }

  waits(ahead: WayAhead): Promise<readonly string[] | undefined> {
    return this.#crossings.rest(ahead);
  }

  async ask(what: string, input: unknown): Promise<unknown> {
    const answer = Object.hasOwn(this.#application, what) ? this.#application[what] : undefined;
    if (answer === undefined) throw new TypeError(`Cannot answer "${what}" as this node has nothing to say to it`);
    return await answer(input);
  }

  async take(storeKey: string, partitions: readonly number[]): Promise<void> {
    const host = this.#hosts.find(({ key }) => key === storeKey);
    if (host === undefined) throw new TroupeError("unavailable", `Cannot take partitions of the store "${storeKey}"`);
    await host.ownership.take(partitions);
  }

  subscriptions(): readonly SubscriptionStatus[] {
    return this.#subscriptions.status();
  }

  report(): readonly ReportedActors[] {
    return [...this.#hosts.flatMap((host) => host.reportActors()), ...(this.#workers?.report() ?? [])];
  }
}
