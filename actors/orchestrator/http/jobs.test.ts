import { afterEach, beforeEach, expect, test } from "bun:test";
import { createTroupe, memory, silentLog, type Troupe } from "#runtime";
import { createIngress } from "../../ingress/app.ts";
import { stubDeps } from "../../ingress/testing/stub-deps.ts";
import { Autoscaler } from "../autoscaler/autoscaler.ts";
import { Config } from "../config/config.ts";
import { Host } from "../host/host.ts";
import { Job } from "../job/job.ts";
import { Secret } from "../secret/secret.ts";
import { Service } from "../service/service.ts";
import { orchestratorRoutes } from "./orchestrator.ts";

const FILE = `
services:
  nightly:
    image: troupe/echo:1
    schedule: { cron: "0 3 * * *", zone: Europe/Berlin }
`;

let troupe: Troupe;
let app: { handle(request: Request): Promise<Response> };
beforeEach(async () => {
  troupe = await createTroupe({
    actors: [Config, Service, Job, Autoscaler, Secret, Host],
    stores: { default: memory() },
  });
  app = createIngress(stubDeps({ troupe: () => troupe, log: silentLog }), [
    orchestratorRoutes({ troupe: () => troupe }),
  ]);
});
afterEach(async () => await troupe.stop());

async function ask(
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const headers = { "content-type": "application/yaml" };
  const response = await app.handle(
    new Request(`http://localhost${path}`, { method, ...(body === undefined ? {} : { body, headers }) }),
  );
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
/** The job has got its message. */
async function posted(): Promise<void> {
  expect((await ask("POST", "/config", FILE)).status).toBe(202);
  while ((await ask("GET", "/jobs/nightly")).status !== 200) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a service with a schedule is a job: it is listed and shown as one, and is no service", async () => {
  await posted();
  const { body } = await ask("GET", "/jobs/nightly");
  expect(body).toMatchObject({ name: "nightly", status: "waiting", paused: false, runs: [], conditions: [] });
  expect(body["schedule"]).toMatchObject({ cron: "0 3 * * *", zone: "Europe/Berlin" });
  expect((await ask("GET", "/jobs")).body).toMatchObject({ items: [{ name: "nightly" }], next: null });
  expect((await ask("GET", "/services/nightly")).status).toBe(404);
  expect((await ask("GET", "/services")).body).toMatchObject({ items: [] });
  expect((await ask("GET", "/config")).body).toMatchObject({
    services: { nightly: { schedule: { cron: "0 3 * * *", zone: "Europe/Berlin" } } },
  });
});

test("a job is paused, resumed and run by hand; one that runs is not run twice", async () => {
  await posted();
  expect((await ask("POST", "/jobs/nightly/pause")).body).toMatchObject({
    paused: true,
    conditions: [{ type: "paused" }],
  });
  expect((await ask("POST", "/jobs/nightly/resume")).body).toMatchObject({ paused: false, conditions: [] });
  expect((await ask("POST", "/jobs/nightly/run")).status).toBe(202);
  await troupe.ref(Job, "nightly").begin({ workflowId: "w", trigger: "hand", host: "a" });
  expect((await ask("GET", "/jobs/nightly")).body).toMatchObject({ status: "running" });
  expect(await ask("POST", "/jobs/nightly/run")).toMatchObject({ status: 409, body: { code: "job.running" } });
});

test("a job that is removed is gone, and what is not there is 404", async () => {
  await posted();
  expect(await ask("DELETE", "/jobs/nightly")).toMatchObject({ status: 202, body: { name: "nightly", revision: 2 } });
  while ((await ask("GET", "/jobs/nightly")).status !== 404) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await ask("GET", "/config")).body).toMatchObject({ services: {} });
  for (const path of ["/jobs/absent/run", "/jobs/absent/pause", "/jobs/constructor/run"])
    expect((await ask("POST", path)).status).toBe(404);
  expect((await ask("DELETE", "/jobs/absent")).status).toBe(404);
});
