import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import { Config, DEFAULT_POLICY, fileForm } from "#actors/orchestrator/config/config.ts";
import { type ConfigServices, RollbackConfig } from "#actors/orchestrator/config/messages.ts";
import { type Endpoint, endpoint, endpoints, Reply } from "#infra/http/endpoint.ts";
import { operationOf } from "#infra/http/operation.ts";
import { AppliedAnswer, ConfigAnswer, configBody, RevisionsAnswer } from "./answers.ts";
import { type OrchestratorDeps, orProblem, readConfigFile, requireDocker } from "./requests.ts";
import { serviceEndpoints } from "./services.ts";

export type { OrchestratorDeps };

const CONFIG = { tag: "Configuration", noun: "config", scope: "services" } as const;

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
      description:
        "The whole file or nothing. A service that the file leaves out is removed. With `dryRun=true` nothing is done; the answer is the plan.",
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
        return { revision, at, services: fileForm(services as ConfigServices) };
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
