import type { ReportedActors } from "../activation/activation-directory.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { NodeAnswers } from "../calls/node-messages.ts";
import type { StoreHost } from "../host/store-host.ts";
import { TroupeError } from "../message/errors.ts";
import type { Subscriptions } from "../subscriptions/subscriptions.ts";

/** What this node answers to what other nodes ask of it itself. */
export class OwnAnswers implements NodeAnswers {
  readonly #hosts: readonly StoreHost[];
  readonly #subscriptions: Subscriptions;

  constructor(hosts: readonly StoreHost[], subscriptions: Subscriptions) {
    this.#hosts = hosts;
    this.#subscriptions = subscriptions;
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
    return this.#hosts.flatMap((host) => host.reportActors());
  }
}
