import { eventually } from "#infra/testing/eventually.ts";
import { Random } from "../random.ts";
import { check, type Violation } from "./checker.ts";
import { type Fault, precede, SERVICE_FAULTS, type ServiceFault } from "./faults.ts";
import type { Episode, History } from "./history.ts";
import { Load } from "./load.ts";
import { type EndingCounts, type FaultRow, endingsOf, faultRows } from "./rows.ts";
import { SERVICE } from "./service-file.ts";
import { Stage } from "./stage.ts";
import { ServicesSystem } from "./system.ts";
import { Watch } from "./watch.ts";

/** What {@link serviceRun} is told. */
export interface ServiceRunOptions {
  /** Chooses when a fault comes, to whom, and whether an update is under way. */
  readonly seed: number;
  /** One after the other, in this order. */
  readonly faults: readonly ServiceFault[];
  /** Requests a second, all the while. */
  readonly rate: number;
  /** How often each fault comes. @default 1 */
  readonly repeats?: number;
  /** Replicas between faults. @default 4 */
  readonly replicas?: number;
  /** Told how to end all that runs, once there is something. */
  readonly onStart?: (end: () => Promise<void>) => void;
  readonly onLine?: (line: string) => void;
  readonly say?: (what: string) => void;
}

/** What came of it. */
export interface ServiceVerdict {
  readonly seed: number;
  readonly rows: readonly FaultRow[];
  readonly requests: EndingCounts;
  /** Why requests failed, with how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Starts and ends of containers that were told. */
  readonly told: number;
  /** Empty: everything held. */
  readonly violations: readonly Violation[];
}

const SETTLES_WITHIN_MS = 90_000;
const TOLD_WITHIN_MS = 30_000;
const BETWEEN_MS = [300, 1_200] as const;

/**
 * Runs a service of several replicas on two Docker hosts that two app processes drive, asks for it at a steady rate, and lets one
 * fault after the other come at random moments; then holds what ran, what was answered and what was told against the
 * promises.
 */
export async function serviceRun(options: ServiceRunOptions): Promise<ServiceVerdict> {
  const { seed, faults, rate, repeats = 1, replicas = 4, say = () => undefined } = options;
  say("starting two engines and two processes of the app");
  await using system = await ServicesSystem.start({ onLine: options.onLine });
  options.onStart?.(() => system[Symbol.asyncDispose]());
  const watch = new Watch(system.hosts, SERVICE);
  const stage = new Stage(system, new Random(seed), watch);
  const load = new Load(`/s/${SERVICE}/`, () => system.entrances());
  const over = new AbortController();
  const episodes: Episode[] = [];
  let asking: Promise<void> = Promise.resolve();
  try {
    await stage.deploy({ replicas });
    const first = await stage.settles(SETTLES_WITHIN_MS);
    if (first.settledAt === undefined) throw new Error(`The service never came up: ${first.instead}`);
    asking = load.run(rate, over.signal);
    for (let round = 0; round < repeats; round++)
      for (const name of faults) {
        const episode = await suffer(stage, name, SERVICE_FAULTS[name]);
        const { settledAt, faultedAt, updating, instead } = episode;
        const how = settledAt === undefined ? `never settled: ${instead}` : `${seconds(settledAt - faultedAt)} s`;
        say(`${name}${updating ? " in an update" : ""}: ${how}`);
        episodes.push(episode);
        await stage.moment(...BETWEEN_MS);
        if (settledAt === undefined) break;
      }
  } finally {
    over.abort();
    await asking;
  }
  const history = { episodes, sightings: watch.sightings, asked: load.asked, ...(await ends(stage)) };
  await watch.stop();
  const violations = check(history);
  const failed = load.asked.filter(({ ending }) => ending === "failed");
  return {
    seed,
    rows: faultRows(history),
    requests: endingsOf(load.asked),
    reasons: Object.fromEntries(
      [...Map.groupBy(failed, ({ method, why }) => `${method}: ${why}`)].map(([why, those]) => [why, those.length]),
    ),
    told: history.told.length,
    violations,
  };
}

/** One fault, until all is quiet again. */
async function suffer(stage: Stage, name: ServiceFault, fault: Fault): Promise<Episode> {
  const from = Date.now();
  stage.begin();
  const before = await stage.lives();
  const updating = await precede(stage, fault);
  const faultedAt = Date.now();
  const look = await fault.inflict(stage);
  const { greeting } = stage.expected;
  const rest = await stage.settles(SETTLES_WITHIN_MS);
  const complaints = [...((await look?.()) ?? [])];
  if (rest.settledAt !== undefined) {
    const served = await stage.served();
    if (served.join() !== greeting)
      complaints.push(`requests are answered with ${served.join(" and ")}, not ${greeting}`);
    const now = await stage.lives();
    if (fault.keeps && now.join() !== before.join())
      complaints.push(`replicas were touched: ${before.join(", ")} became ${now.join(", ")}`);
  }
  return { fault: name, updating, from, faultedAt, ...rest, most: stage.most, mayFail: fault.mayFail, complaints };
}

/** What was told of the containers, once it fits what runs or patience has ended. */
async function ends({ system, watch }: Stage): Promise<Pick<History, "told" | "running" | "uncaught">> {
  const running = watch.running.map(({ id }) => id);
  const fits = async () => {
    const told = await system.told(SERVICE);
    const open = new Set<string>();
    for (const { type, containerId } of told)
      if (type === "container.started.v1") open.add(containerId);
      else open.delete(containerId);
    return [...open].sort().join() === running.toSorted().join() && told;
  };
  const told = await eventually("every start and end is told", TOLD_WITHIN_MS, fits).catch(() => system.told(SERVICE));
  return { told, running, uncaught: system.uncaught };
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
