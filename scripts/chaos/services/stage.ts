import { pause } from "#infra/base/pause.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { Random } from "../random.ts";
import { fileOf, SERVICE, SURGE, type Wanted } from "./service-file.ts";
import type { OwnHost, ServicesSystem } from "./system.ts";
import type { Watch } from "./watch.ts";

/** What a service says about itself, as far as it matters here. */
interface View {
  readonly status: string;
  readonly desired: { readonly revision: string };
  readonly observed: readonly { readonly containerId: string; readonly healthy: boolean }[];
  readonly conditions: readonly { readonly type: string; readonly message: string }[];
}

/** What is to be there in the end. */
export interface Expected {
  readonly revision: string;
  readonly greeting: string;
  readonly replicas: number;
}

const TAKEN_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
/** What holds for so long has come to rest. */
const AT_REST_MS = 1_200;
const SERVED_ASKS = 6;

/**
 * What faults work with: the system, the service as it is meant to be, and how many containers it may have meanwhile.
 *
 * Owns: what was posted last and what must come of it. Does not own: requests, and what ran when.
 */
export class Stage {
  readonly system: ServicesSystem;
  readonly random: Random;
  readonly watch: Watch;
  /** What the service is to be; the last that has settled, until something else is deployed. */
  expected: Expected = { revision: "", greeting: "", replicas: 0 };
  /** How many containers may run at once, in this episode. */
  most = 0;
  #greetings = 0;

  constructor(system: ServicesSystem, random: Random, watch: Watch) {
    this.system = system;
    this.random = random;
    this.watch = watch;
  }

  /** An episode begins: nothing of the one before counts any more. */
  begin(): void {
    this.most = this.expected.replicas + SURGE;
  }

  host(name?: string): OwnHost {
    const { hosts } = this.system;
    const found = name === undefined ? this.random.pick(hosts) : hosts.find((one) => one.name === name);
    if (found === undefined) throw new Error(`There is no host ${name}`);
    return found;
  }

  /** A greeting that no revision had. */
  fresh(): string {
    return `hello-${++this.#greetings}`;
  }

  /** Waits for so long, chosen by the seed. */
  async moment(leastMs: number, mostMs: number): Promise<void> {
    await pause(this.random.whole(leastMs, mostMs));
  }

  /** Posts a configuration that is to stay; resolves when the service has taken it. */
  async deploy(change: Partial<Wanted>): Promise<void> {
    const wanted = { greeting: this.fresh(), replicas: this.expected.replicas, ...change };
    this.most = Math.max(this.most, wanted.replicas + SURGE);
    const revision = await this.#taken(await this.post(wanted));
    this.expected = { revision, greeting: wanted.greeting, replicas: wanted.replicas };
  }

  /** Posts a revision that is to be taken back: what is expected stays. */
  async tryOut(change: Omit<Partial<Wanted>, "replicas">, more = 0): Promise<void> {
    const { replicas } = this.expected;
    this.most = Math.max(this.most, replicas + SURGE + more);
    await this.#taken(await this.post({ greeting: this.fresh(), replicas, ...change }));
  }

  /** Posts a configuration, at one of the processes. Gives its revision. */
  async post(wanted: Wanted, by?: number): Promise<number> {
    const { status, body } = await this.system.ask("POST", "/config", fileOf(wanted), by);
    if (status !== 202) throw new Error(`POST /config was answered with ${status}: ${JSON.stringify(body)}`);
    return (body as { revision: number }).revision;
  }

  async verb(name: "abort" | "promote"): Promise<number> {
    return (await this.system.ask("POST", `/services/${SERVICE}/${name}`)).status;
  }

  async view(): Promise<View> {
    return (await this.system.ask("GET", `/services/${SERVICE}`)).body as View;
  }

  /** The containers that run, by id and the moment of their start: what nobody touched is the same afterwards. */
  async lives(): Promise<readonly string[]> {
    const all = (await Promise.all(this.system.hosts.map(({ engine }) => engine.list(SERVICE)))).flat();
    return all.map(({ id, startedAt }) => `${id.slice(0, 12)} ${startedAt}`).sort();
  }

  /** When all was as it is meant to be, and had stayed so for a while; what was there instead when patience ended. */
  async settles(withinMs: number): Promise<{ readonly settledAt?: number; readonly instead?: string }> {
    const until = performance.now() + withinMs;
    let since: number | undefined;
    let instead: string | undefined;
    while (performance.now() < until) {
      const at = Date.now();
      const wrong = await this.#wrong().catch((error: unknown) => String(error));
      if (wrong === undefined) {
        since ??= at;
        if (at - since >= AT_REST_MS) return { settledAt: since };
      } else [since, instead] = [undefined, wrong];
      await pause(LOOK_EVERY_MS);
    }
    return { instead: `${instead ?? "it came to no rest"}; ${await this.#standstill()}` };
  }

  /** Which greetings requests are answered with. */
  async served(): Promise<readonly string[]> {
    const answers: string[] = [];
    for (let i = 0; i < SERVED_ASKS; i++) {
      const { body } = await this.system.ask("GET", `/s/${SERVICE}/`, undefined, i);
      answers.push((body as { greeting?: string }).greeting ?? JSON.stringify(body));
    }
    return [...new Set(answers)];
  }

  /** The revision that the service has made of a configuration. */
  async #taken(config: number): Promise<string> {
    return await eventually("the service has the configuration", TAKEN_WITHIN_MS, async () => {
      const all = await this.system.configured(SERVICE);
      return (all.find((one) => one.config === config) ?? all.find((one) => one.config > config))?.revision;
    });
  }

  /** What the service says about itself, and what its loop waits for: where it stands still, this tells why. */
  async #standstill(): Promise<string> {
    const said = this.view().then(({ status, desired, conditions }) => {
      const all = conditions.map(({ type, message }) => `${type}: ${message}`);
      return `it says ${status}, ${desired.revision}, ${all.length > 0 ? all.join("; ") : "no conditions"}`;
    });
    const unknown = (error: unknown): string => `nobody knows, as ${String(error)}`;
    return (await Promise.all([said.catch(unknown), this.system.loopOf(SERVICE).catch(unknown)])).join("; ");
  }

  /** What is not yet as it is meant to be. */
  async #wrong(): Promise<string | undefined> {
    const { revision, replicas } = this.expected;
    const [view, ...lists] = await Promise.all([
      this.view(),
      ...this.system.hosts.map(({ engine }) => engine.list(SERVICE)),
    ]);
    const there = lists.flat();
    const slots = there.map((one) => `${one.revision}/${one.replica} ${one.state}`).sort();
    const wanted = Array.from({ length: replicas }, (_, replica) => `${revision}/${replica} running`).sort();
    if (slots.join() !== wanted.join()) return `there is ${slots.join(", ")}, wanted is ${wanted.join(", ")}`;
    const { status, desired, observed, conditions } = view;
    if (status !== "converged" || desired.revision !== revision)
      return `it says ${status}, ${desired.revision}: ${conditions.map(({ message }) => message).join("; ")}`;
    const ids = (of: readonly string[]): string => of.toSorted().join();
    const seen = observed.flatMap(({ containerId, healthy }) => (healthy ? [containerId] : []));
    return ids(seen) === ids(there.map(({ id }) => id)) ? undefined : "it has not seen what is there";
  }
}
