import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "../e2e/app-process.ts";
import { CHROMIUM, openBrowser, openPage, settled } from "../e2e/browser.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { insist } from "../e2e/shop.ts";
import { pidOf } from "./app-info.ts";
import { CpuMeter } from "./cpu.ts";
import { EVENT_TYPE } from "./event-requests.ts";
import { type Measured, percentiles, rssOf } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { paced } from "./paced.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const EVENTS_PER_SECOND = 2_000;
const BATCH = 20;
const LINES_PER_SECOND = 300;
const WITHIN_MS = 90_000;
const FRAMES_PER_SECOND = 60;
const USUAL = { seconds: 10, rounds: 2 };
const QUICK = { seconds: 3, rounds: 1 };

/** What somebody may leave open. */
const PAGES = ["/console", "/console/brokers?broker=nats", "/console/services/talk"] as const;

const TALK = `
services:
  talk:
    image: troupe/echo:1
    env: { TALK: "${LINES_PER_SECOND}" }
    ports: [8080]
`;

/**
 * A page of the console beside 2,000 events a second and 300 log lines a second: how many frames a second it draws, and what the
 * app takes while it is open, against the same load with nobody looking. The two are measured in turn.
 */
export async function* consolePages({ quick }: BenchOptions): AsyncGenerator<BenchCase> {
  if (CHROMIUM === undefined) return progress("console: left out, as there is no Chromium on the PATH");
  const data = await mkdtemp(join(tmpdir(), "troupe-bench-console-"));
  await chmod(data, 0o711); // where we are root, the service's own user has to get to its program
  const servers = await testEnvironment("rabbitmq", "redis");
  await using harness = await openHarness({
    kafka: true,
    environment: {
      ...servers,
      ...{
        TROUPE_ROLES: "ingress,actors,workflows,scaler",
        TROUPE_DATA: data,
        TROUPE_ENGINE: `process:${join(data, "engine")}`,
      },
    },
  });
  try {
    const app = await furnished(harness);
    const pid = await pidOf(app);
    const { seconds, rounds } = quick ? QUICK : USUAL;
    for (const path of PAGES) yield* page({ app, pid, seconds, rounds }, path);
  } finally {
    if (existsSync(data)) await rm(data, { recursive: true, force: true });
  }
}

async function furnished(harness: Harness): Promise<AppProcess> {
  const app = await harness.start().ready();
  const to = [{ sink: "nats", subject: "bench.measured" }];
  const route = JSON.stringify({ match: { type: "bench.*" }, to });
  await insist(() => app.send("PUT", "/routes/bench", route, { "content-type": "application/json" }), WITHIN_MS);
  const taken = await app.send("POST", "/config", TALK, { "content-type": "application/yaml" });
  if (taken.status !== 202) throw new Error(`Cannot start the service that talks: ${JSON.stringify(taken.body)}`);
  await eventually("the service writes lines", WITHIN_MS, async () => {
    const { status, body } = await app.get("/services/talk/logs?limit=10");
    return (status === 200 && (body as { items: unknown[] }).items.length === 10) || undefined;
  });
  return app;
}

interface Watched {
  readonly app: AppProcess;
  readonly pid: number;
  readonly seconds: number;
  readonly rounds: number;
}

async function* page(watched: Watched, path: string): AsyncGenerator<BenchCase> {
  const { app, seconds, rounds } = watched;
  const alone: Measured[] = [];
  const beside: Measured[] = [];
  const frames: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`console: ${path}, nobody looks (${seconds} s)`);
    alone.push(await load(watched));
    progress(`console: ${path} is open (${seconds} s)`);
    const browser = await openBrowser();
    try {
      const { page: open } = await openPage(browser, await app.listening(), { width: 1280, scheme: "light" });
      await open.goto(path);
      await settled(open);
      await countFrames(open);
      beside.push(await load(watched));
      frames.push(await framesSince(open));
    } finally {
      await browser.close();
    }
  }
  const name = "nobody looks";
  yield {
    bench: "console",
    case: `${path} open, events taken`,
    measured: best(beside),
    baseline: { name, ...best(alone) },
  };
  const drawn = Math.max(...frames);
  yield {
    bench: "console",
    case: `${path} open, frames drawn`,
    measured: { opsPerSecond: drawn, p50Ms: 1_000 / drawn, p99Ms: 1_000 / Math.min(...frames), rssMb: 0 },
    baseline: {
      name: "the screen",
      opsPerSecond: FRAMES_PER_SECOND,
      p50Ms: 1_000 / FRAMES_PER_SECOND,
      p99Ms: 1_000 / FRAMES_PER_SECOND,
    },
  };
}

/** The round that was disturbed least. */
function best(rounds: readonly Measured[]): Measured {
  return rounds.toSorted((a, b) => b.opsPerSecond - a.opsPerSecond)[0] as Measured;
}

let sent = 0;

/** Events at an even rate; what the app takes of them while it lasts, and how long each batch took. */
async function load({ app, pid, seconds: lasts }: Watched): Promise<Measured> {
  const latencies: number[] = [];
  const meter = new CpuMeter({ app: pid });
  const headers = { "content-type": "application/cloudevents-batch+json" };
  const since = performance.now();
  await paced(EVENTS_PER_SECOND / BATCH, lasts, async () => {
    const batch = Array.from({ length: BATCH }, () => {
      const id = `console-${++sent}`;
      return {
        specversion: "1.0",
        id,
        source: "/bench",
        type: EVENT_TYPE,
        subject: `s${sent % 500}`,
        data: { n: sent },
      };
    });
    const at = performance.now();
    const { status } = await app.send("POST", "/events", JSON.stringify(batch), headers);
    if (status !== 202) throw new Error(`A batch of events got ${status}`);
    latencies.push(performance.now() - at);
  });
  const seconds = (performance.now() - since) / 1_000;
  const events = EVENTS_PER_SECOND * lasts;
  progress(`console: ${meter.used(events)}`);
  return { opsPerSecond: events / seconds, ...percentiles(latencies), rssMb: rssOf(pid) };
}

/** Counts the frames that a page draws from now on. */
async function countFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const counted = { frames: 0, since: performance.now() };
    (globalThis as unknown as { counted: typeof counted }).counted = counted;
    const draw = (): void => {
      counted.frames++;
      requestAnimationFrame(draw);
    };
    requestAnimationFrame(draw);
  });
}

function framesSince(page: Page): Promise<number> {
  return page.evaluate(() => {
    const { counted } = globalThis as unknown as { counted: { frames: number; since: number } };
    return counted.frames / ((performance.now() - counted.since) / 1_000);
  });
}
