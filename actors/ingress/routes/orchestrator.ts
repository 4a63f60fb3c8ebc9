import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import { Config, type ConfigPolicy, DEFAULT_POLICY, fileForm } from "#actors/config/config.ts";
import { type ConfigApplied, RollbackConfig } from "#actors/config/messages.ts";
import { Replicas, ServiceName } from "#actors/service/messages.ts";
import { Service, viewOf } from "#actors/service/service.ts";
import type { DockerStatus } from "#infra/docker/status.ts";
import type { IngressDeps } from "../deps.ts";
import { type Endpoint, endpoint, endpoints, notFound, Reply } from "../endpoint.ts";
import { PageQuery, readPage } from "../listing.ts";
import { operationOf } from "../operation.ts";
import { AppliedAnswer, ConfigAnswer, configBody, RevisionsAnswer, ServiceAnswer, ServiceChanged, ServicesAnswer } from "./orchestrator-answers.ts";
import { orProblem, readConfigFile, requireDocker } from "./orchestrator-requests.ts";
import { onItsWay, publicView } from "./orchestrator-view.ts";

/** What the routes work with. */
export interface OrchestratorDeps extends Pick<IngressDeps, "troupe"> {
  /** Whether there is an engine: see `dockerStatus` in `infra/docker`. */
  readonly docker: () => Promise<DockerStatus>;
  /** Which images may run, and how large. Default: `troupe/*`. */
  readonly policy?: ConfigPolicy;
}

const ByName = v.object({ name: ServiceName });
const CONFIG = { tag: "Configuration", noun: "config" } as const;
const SERVICE = { tag: "Services", noun: "service" } as const;

/** The routes of the orchestrator: the configuration file, its revisions, and the services it asks for. */
export function orchestratorRoutes(deps: OrchestratorDeps) {
  const post = postConfig(deps);
  const detail = { ...operationOf(post.spec), requestBody: configBody } as object as DocumentDecoration;
  return new Elysia({ name: "orchestrator" })
    .post("/config", ({ request, params }) => post.run(request, params), { parse: "none", detail })
    .use(endpoints("configuration", configEndpoints(deps)))
    .use(endpoints("services", serviceEndpoints(deps)));
}

/** Apart from the others: its body is a file, not JSON. */
function postConfig({ troupe, docker, policy = DEFAULT_POLICY }: OrchestratorDeps): Endpoint {
  return endpoint(
    {
      ...CONFIG,
      method: "POST",
      path: "/config",
      summary: "Put a configuration file in force",
      description: "The whole file or nothing. A service that the file leaves out is removed. With `dryRun=true` nothing is done; the answer is the plan.",
      query: v.object({ dryRun: v.optional(v.picklist(["true", "false"])) }),
      answer: { status: 202, description: "What becomes of each service", schema: AppliedAnswer },
      otherAnswers: [{ status: 200, description: "The plan of a dry run", schema: AppliedAnswer }],
      problems: [400, 413, 415, 422],
    },
    async ({ request, query, call, look }) => {
      await requireDocker(docker, "change");
      const services = await readConfigFile(request, policy);
      const config = troupe().ref(Config, "main");
      if (query.dryRun === "true") return new Reply(200, await config.plan({ services }, look));
      return await config.apply({ services }, call);
    },
  );
}

function configEndpoints({ troupe, docker }: OrchestratorDeps): Endpoint[] {
  const config = () => troupe().ref(Config, "main");
  return [
    endpoint(
      {
        ...CONFIG,
        method: "GET",
        path: "/config",
        summary: "Show the configuration in force",
        description: "`services` may be sent back as it is.",
        answer: { status: 200, description: "The configuration and its revision", schema: ConfigAnswer },
      },
      async ({ look }) => {
        await requireDocker(docker, "look");
        const { revision, at, services } = await config().get(undefined, look);
        return { revision, at, services: fileForm(services) };
      },
    ),
    endpoint(
      {
        ...CONFIG,
        method: "GET",
        path: "/config/revisions",
        summary: "List the revisions that can be gone back to",
        answer: { status: 200, description: "Newest first", schema: RevisionsAnswer },
      },
      async ({ look }) => {
        await requireDocker(docker, "look");
        return { items: await config().revisions(undefined, look), next: null };
      },
    ),
    endpoint(
      {
        ...CONFIG,
        method: "POST",
        path: "/config/rollback",
        summary: "Put an earlier revision in force again",
        description: "As a new revision with the content of the earlier one.",
        body: RollbackConfig,
        answer: { status: 202, description: "What becomes of each service", schema: AppliedAnswer },
        problems: [404],
      },
      async ({ body, call }) => {
        await requireDocker(docker, "change");
        return await orProblem(config().rollback(body, call));
      },
    ),
  ];
}

function serviceEndpoints({ troupe, docker }: OrchestratorDeps): Endpoint[] {
  const config = () => troupe().ref(Config, "main");
  return [
    endpoint(
      {
        ...SERVICE,
        method: "GET",
        path: "/services",
        summary: "List services",
        query: v.object(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: ServicesAnswer },
      },
      async ({ query }) => {
        await requireDocker(docker, "look");
        return await readPage(
          (page) => troupe().list(Service, page),
          query,
          ({ key, state }) => publicView(viewOf(key, state)),
        );
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "GET",
        path: "/services/:name",
        summary: "Show a service",
        params: ByName,
        unfitPath: 422,
        answer: { status: 200, description: "What is desired, what was seen last, and how far it is", schema: ServiceAnswer },
        problems: [404],
      },
      async ({ params: { name }, look }) => {
        await requireDocker(docker, "look");
        const view = (await troupe().ref(Service, name).get(undefined, look)) ?? onItsWay(name, (await config().get(undefined, look)).services);
        const shown = publicView(view);
        if (!shown) throw notFound("service");
        return shown;
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "PATCH",
        path: "/services/:name",
        summary: "Change the number of replicas",
        description: "As a new revision of the configuration.",
        params: ByName,
        unfitPath: 422,
        body: v.strictObject({ replicas: Replicas }),
        answer: { status: 202, description: "The change", schema: ServiceChanged },
        problems: [404],
      },
      async ({ params: { name }, body: { replicas }, call }) => {
        await requireDocker(docker, "change");
        return single(name, await orProblem(config().scale({ name, replicas }, call)));
      },
    ),
    endpoint(
      {
        ...SERVICE,
        method: "DELETE",
        path: "/services/:name",
        summary: "Remove a service",
        description: "As a new revision of the configuration. It is gone once its last container is.",
        params: ByName,
        unfitPath: 422,
        answer: { status: 202, description: "The change", schema: ServiceChanged },
        problems: [404],
      },
      async ({ params: { name }, call }) => {
        await requireDocker(docker, "change");
        return single(name, await orProblem(config().drop({ name }, call)));
      },
    ),
  ];
}

/** The part of a reply that speaks of one service. */
function single(name: string, { revision, services }: ConfigApplied): v.InferInput<typeof ServiceChanged> {
  const found = services.find((service) => service.name === name);
  if (!found) throw notFound("service");
  return { name, revision, change: found.change, workflowId: found.workflowId };
}
