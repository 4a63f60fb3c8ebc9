/** What becomes of requests: while revisions are replaced, what forwarding adds, and what services cost that nobody asks. */
import { testServer } from "#infra/stack/for-tests.ts";
import { pidOf } from "./app-info.ts";
import { postmasterOf, shareOf } from "./cpu.ts";
import { HttpConnection, requestBytes } from "./http-client.ts";
import { driveHttp } from "./http-load.ts";
import { percentiles, rssOf } from "./measure.ts";
import { paced } from "./paced.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { echoService, type ServiceBed } from "./service-bed.ts";

const REPLICAS = 3;
const REQUESTS_PER_SECOND = 500;
const UPDATE = { maxSurge: 1, maxUnavailable: 0, minReady: "500ms" };
/** After the last of them has converged, what it left to do is done. */
const SETTLE_MS = 5_000;
/** What the app takes without services, to compare with. */
const BEFORE_MS = 10_000;
const FORWARD_CALLERS = [1, 64] as const;

/** One revision after the other takes the place of the one before, under requests at a steady rate. */
export async function* updates(bed: ServiceBed, requests: number): AsyncGenerator<BenchCase> {
  const revision = (greeting: number) => ({
    rolling: echoService({ replicas: REPLICAS, env: { GREETING: String(greeting) }, update: UPDATE }),
  });
  await bed.post(revision(0));
  await bed.converged("rolling", REPLICAS);
  const request = requestBytes(new URL(bed.address).host, { method: "GET", path: "/s/rolling/" });
  const idle: HttpConnection[] = [];
  const times: number[] = [];
  let failed = 0;
  let over = false;
  let count = 0;
  const updating = (async () => {
    while (!over) {
      await bed.post(revision(++count));
      await bed.converged("rolling", REPLICAS);
      progress(`services: ${count} updates, ${times.length} requests, ${failed} failed`);
    }
  })();
  const startedAt = performance.now();
  await paced(REQUESTS_PER_SECOND, requests / REQUESTS_PER_SECOND, async () => {
    const askedAt = performance.now();
    let connection = idle.pop();
    while (connection?.open === false) connection = idle.pop();
    connection ??= await HttpConnection.open(bed.address);
    try {
      await connection.send(request);
      times.push(performance.now() - askedAt);
      idle.push(connection);
    } catch {
      failed++;
      connection.close();
    }
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  over = true;
  await updating;
  for (const connection of idle) connection.close();
  await bed.post({ rolling: null });
  await bed.gone("rolling");
  const figures = { opsPerSecond: times.length / seconds, ...percentiles(times), rssMb: rssOf(await pidOf(bed.app)) };
  yield {
    bench: "services",
    case: `${REPLICAS} → ${REPLICAS} updates under ${REQUESTS_PER_SECOND} requests a second`,
    measured: figures,
    figure: { value: failed, unit: `of ${requests.toLocaleString("en-US")} failed in ${count} updates` },
  };
}

/** The same requests through the app, and past it to the container's own port. */
export async function* forwarding(bed: ServiceBed): AsyncGenerator<BenchCase> {
  await bed.post({ forwarded: echoService({ replicas: 2, resources: { memory: "128MiB", cpus: 2 } }) });
  const { ports } = await bed.converged("forwarded", 2);
  const direct = `http://127.0.0.1:${ports[0]}`;
  const pid = await pidOf(bed.app);
  for (const callers of FORWARD_CALLERS) {
    const bytes = (address: string, path: string) => requestBytes(new URL(address).host, { method: "GET", path });
    const plain = bytes(direct, "/");
    const past = await driveHttp({ label: "past the app", address: direct, pid }, callers, () => plain);
    const through = bytes(bed.address, "/s/forwarded/");
    const measured = await driveHttp({ label: "forwarded", address: bed.address, pid }, callers, () => through);
    const name = `forwarded, ${callers} ${callers === 1 ? "caller" : "callers"}`;
    yield { bench: "services", case: name, measured, baseline: { name: "the container itself", ...past } };
  }
  await bed.post({ forwarded: null });
  await bed.gone("forwarded");
}

/** What services of two replicas cost while nothing happens to them: the app, and Postgres beside it. */
export async function* atRest(bed: ServiceBed, services: number, seconds: number): AsyncGenerator<BenchCase> {
  const names = Array.from({ length: services }, (_, i) => `rest${i}`);
  const small = echoService({ replicas: 2, resources: { memory: "16MiB", cpus: 0.1, pids: 16 } });
  const pid = await pidOf(bed.app);
  const postmaster = await postmasterOf(await testServer("postgres")).catch(() => undefined);
  const processes = { app: pid, ...(postmaster === undefined ? {} : { Postgres: postmaster }) };
  const told = (shares: Record<string, number>): string =>
    Object.entries(shares)
      .map(([name, share]) => `${name} ${share.toFixed(1)} %`)
      .join(", ");
  const before = await shareOf(processes, () => Bun.sleep(BEFORE_MS));
  progress(`services: without any, of one processor: ${told(before)}`);
  const startedAt = performance.now();
  await bed.post(Object.fromEntries(names.map((name) => [name, small])));
  for (const name of names) await bed.converged(name, 2);
  progress(`services: ${services} services are up after ${Math.round((performance.now() - startedAt) / 1_000)} s`);
  await Bun.sleep(SETTLE_MS);
  const shares = await shareOf(processes, () => Bun.sleep(seconds * 1_000));
  progress(`services: at rest, of one processor: ${told(shares)}`);
  yield {
    bench: "services",
    case: `${services} services of 2 replicas at rest`,
    measured: { opsPerSecond: 0, p50Ms: 0, p99Ms: 0, rssMb: rssOf(pid) },
    figure: { value: shares["app"] ?? Number.NaN, unit: "% of a processor" },
  };
  await bed.post(Object.fromEntries(names.map((name) => [name, null])));
  for (const name of names) await bed.gone(name);
}
