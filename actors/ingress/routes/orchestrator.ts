import { Elysia } from "elysia";
import * as v from "valibot";
import type { DockerStatus } from "#infra/docker/status.ts";
import type { Troupe } from "#runtime";
import { Config, DEFAULT_POLICY, fileForm } from "../../config/config.ts";
import type { ConfigPolicy } from "../../config/config.ts";
import { RollbackConfig } from "../../config/messages.ts";
import type { ConfigApplied, ConfigServices } from "../../config/messages.ts";
import { Replicas } from "../../service/messages.ts";
import type { ServiceView } from "../../service/messages.ts";
import { revisionOf, Service, viewOf } from "../../service/service.ts";
import { Problem } from "../problem.ts";
import { notFound, onceOptions, orProblem, readBody, readConfigFile, requireDocker, serviceName } from "./orchestrator-requests.ts";

/** What the routes work with. */
export interface OrchestratorDeps {
  readonly troupe: Troupe;
  /** Whether there is an engine: see `dockerStatus` in `infra/docker`. */
  readonly docker: () => Promise<DockerStatus>;
  /** Which images may run, and how large. Default: `troupe/*`. */
  readonly policy?: ConfigPolicy;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** The routes of the orchestrator: the configuration file, its revisions, and the services it asks for. */
export function orchestratorRoutes({ troupe, docker, policy = DEFAULT_POLICY }: OrchestratorDeps) {
  const config = () => troupe.ref(Config, "main");
  // The bodies are read here: YAML as it is, JSON by a strict schema.
  const unparsed = { parse: "none" } as const;

  return new Elysia({ name: "orchestrator" })
    .post(
      "/config",
      async ({ request, query, set }) => {
        await requireDocker(docker, "change");
        const services = await readConfigFile(request, policy);
        if (query["dryRun"] === "true") return await config().plan({ services });
        set.status = 202;
        return await orProblem(config().apply({ services }, onceOptions(request)));
      },
      unparsed,
    )
    .get("/config", async () => {
      await requireDocker(docker, "look");
      const { revision, at, services } = await config().get();
      return { revision, at, services: fileForm(services) };
    })
    .get("/config/revisions", async () => {
      await requireDocker(docker, "look");
      return { items: await config().revisions(), next: null };
    })
    .post(
      "/config/rollback",
      async ({ request, set }) => {
        await requireDocker(docker, "change");
        const input = await readBody(request, RollbackConfig);
        set.status = 202;
        return await orProblem(config().rollback(input, onceOptions(request)));
      },
      unparsed,
    )
    .get("/services", async ({ query }) => {
      await requireDocker(docker, "look");
      const limit = limitOf(query["limit"]);
      const after = query["cursor"];
      const page = await troupe.list(Service, { limit, ...(after === undefined ? {} : { after }) });
      const items = page.map(({ key, state }) => viewOf(key, state)).filter((view) => view !== null);
      return { items: items.map(publicView), next: page.length === limit ? (page.at(-1)?.key ?? null) : null };
    })
    .get("/services/:name", async ({ params }) => {
      await requireDocker(docker, "look");
      const name = serviceName(params.name);
      const view = (await troupe.ref(Service, name).get()) ?? onItsWay(name, (await config().get()).services);
      if (!view) throw notFound();
      return publicView(view);
    })
    .patch(
      "/services/:name",
      async ({ params, request, set }) => {
        await requireDocker(docker, "change");
        const name = serviceName(params.name);
        const { replicas } = await readBody(request, v.strictObject({ replicas: Replicas }));
        set.status = 202;
        return single(name, await orProblem(config().scale({ name, replicas }, onceOptions(request))));
      },
      unparsed,
    )
    .delete("/services/:name", async ({ params, request, set }) => {
      await requireDocker(docker, "change");
      const name = serviceName(params.name);
      set.status = 202;
      return single(name, await orProblem(config().drop({ name }, onceOptions(request))));
    });
}

/** The part of a reply that speaks of one service. */
function single(name: string, applied: ConfigApplied) {
  const { change, workflowId } = applied.services.find((service) => service.name === name) ?? {};
  return { name, revision: applied.revision, change, workflowId };
}

/** A service that the configuration asks for, but that has not got its message yet. */
function onItsWay(name: string, services: ConfigServices): ServiceView | undefined {
  const service = Object.hasOwn(services, name) ? services[name] : undefined;
  if (!service) return undefined;
  const { spec, replicas } = service;
  return {
    name,
    desired: { replicas, image: spec.image, revision: revisionOf(spec), generation: 0, configRevision: 0 },
    observed: [],
    status: "progressing",
    conditions: [],
    outbox: "PENDING",
    removed: false,
  };
}

function publicView({ name, desired, observed, status, conditions, outbox }: ServiceView) {
  const { replicas, image, revision } = desired;
  return { name, desired: { replicas, image, revision }, observed, status, conditions, outbox };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (/^\d{1,3}$/.test(text) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new Problem(422, "invalid_input", "The query does not fit: see errors", {
    issues: [{ path: "query/limit", message: "is not a page size", expected: `1 to ${MAX_LIMIT}` }],
  });
}
