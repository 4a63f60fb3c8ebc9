import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import { Config, DEFAULT_POLICY, fileForm, gatewayForm } from "#actors/orchestrator/config/config.ts";
import { fileSchema } from "#actors/orchestrator/config/file-schema.ts";
import { type ConfigServices, type RevisionPair, RollbackConfig } from "#actors/orchestrator/config/messages.ts";
import { type Endpoint, endpoint, endpoints, Reply } from "#infra/http/endpoint.ts";
import { pageOfAll, PageQuery } from "#infra/http/listing.ts";
import { operationOf } from "#infra/http/operation.ts";
import { Problem } from "#infra/http/problem.ts";
import { AppliedAnswer, ConfigAnswer, configBody, DiffAnswer, PlanAnswer, RevisionsAnswer } from "./answers.ts";
import { diffOf } from "./diff-view.ts";
import { hostEndpoints } from "./hosts.ts";
import { jobEndpoints } from "./jobs.ts";
import { logRoute } from "./logs.ts";
import { checkAgain, etagOf, expectedRevision, type OrchestratorDeps, orProblem, readConfigFile } from "./requests.ts";
import { secretEndpoints } from "./secrets.ts";
import { seeingEndpoints } from "./seeing-endpoints.ts";
import { serviceEndpoints } from "./services.ts";
import { verbEndpoints } from "./verbs.ts";

export type { OrchestratorDeps };

const CONFIG = { tag: "Configuration", noun: "config", scope: "services" } as const;

/** The routes of the orchestrator: the configuration file, its revisions, and the services it asks for. */
export function orchestratorRoutes(deps: OrchestratorDeps) {
  const post = postConfig(deps);
  const detail = { ...operationOf(post.spec), requestBody: configBody } as object as DocumentDecoration;
  return new Elysia({ name: "orchestrator" })
    .post("/config", ({ request, params }) => post.run(request, params), { parse: "none", detail })
    .use(endpoints("configuration", configEndpoints(deps)))
    .use(endpoints("services", [...serviceEndpoints(deps), ...verbEndpoints(deps), ...seeingEndpoints(deps)]))
    .use(endpoints("jobs", jobEndpoints(deps)))
    .use(endpoints("secrets", secretEndpoints(deps)))
    .use(endpoints("hosts", hostEndpoints(deps)))
    .use(logRoute(deps));
}

/** Apart from the others: its body is a file, not JSON. */
function postConfig({ troupe, policy = DEFAULT_POLICY, echoed = false }: OrchestratorDeps): Endpoint {
  return endpoint(
    {
      ...CONFIG,
      method: "POST",
      path: "/config",
      summary: "Put a configuration file in force",
      description:
        "The whole file or nothing. A service that the file leaves out is removed. With `dryRun=true` nothing is done; the answer is the plan.",
      query: v.strictObject({ dryRun: v.optional(v.picklist(["true", "false"])) }),
      answer: { status: 202, description: "What becomes of each service", schema: AppliedAnswer },
      otherAnswers: [{ status: 200, description: "The plan of a dry run", schema: PlanAnswer }],
      problems: [400, 412, 413, 415, 422],
    },
    async ({ request, query, call, look }) => {
      const expected = expectedRevision(request);
      const file = await readConfigFile(request, policy);
      const config = troupe().ref(Config, "main");
      if (query.dryRun === "true") {
        const [plan, inForce] = await Promise.all([
          config.plan({ ...file, expected }, look),
          config.get(undefined, look),
        ]);
        const { revision: before, services } = inForce;
        const change = { revision: plan.revision, services: file.services };
        const { services: diff } = diffOf({
          ...change,
          before: { revision: before, services: services as ConfigServices },
        });
        return new Reply(200, { ...plan, before, diff });
      }
      const applied = await orProblem(config.apply({ ...file, expected, echoed }, call));
      return new Reply(202, applied, { etag: etagOf(applied.revision) });
    },
  );
}

function configEndpoints({ troupe, policy = DEFAULT_POLICY }: OrchestratorDeps): Endpoint[] {
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
        const { revision, at, services, gateway = [] } = await config().get(undefined, look);
        const answer = {
          revision,
          at,
          services: fileForm(services as ConfigServices),
          ...(gateway.length > 0 ? { gateway: gatewayForm(gateway) } : {}),
        };
        return new Reply(200, answer, { etag: etagOf(revision) });
      },
    ),
    endpoint(
      {
        ...CONFIG,
        method: "GET",
        path: "/config/revisions",
        summary: "List the revisions that can be gone back to",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page of them, newest first", schema: RevisionsAnswer },
      },
      async ({ query, look }) =>
        pageOfAll(await config().revisions(undefined, look), query, ({ revision }) => String(revision)),
    ),
    endpoint(
      {
        ...CONFIG,
        method: "GET",
        path: "/config/revisions/:revision/diff",
        summary: "Show what a revision changed",
        description: "Compared with the one before, as the file would be written.",
        params: v.object({ revision: v.pipe(v.string(), v.regex(/^[1-9]\d{0,14}$/), v.transform(Number)) }),
        answer: { status: 200, description: "By service, each place that is another", schema: DiffAnswer },
        problems: [404],
      },
      async ({ params, look }) => {
        const pair = await config().revision(params.revision, look);
        if (pair === null)
          throw new Problem(404, "config.revision_not_found", "There is no such revision, or it is no longer kept");
        return diffOf(pair as v.InferOutput<typeof RevisionPair>);
      },
    ),
    endpoint(
      {
        ...CONFIG,
        method: "GET",
        path: "/config/schema",
        summary: "Show the JSON Schema of a configuration file",
        description: "For editors: `# yaml-language-server: $schema=…/config/schema`.",
        scope: "open",
        answer: { status: 200, description: "The schema", schema: v.record(v.string(), v.unknown()) },
      },
      () => fileSchema(),
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
        problems: [404, 412, 422],
      },
      async ({ request, body, call, look }) => {
        const expected = expectedRevision(request);
        const earlier = await config().revision(body.revision, look);
        if (earlier !== null) checkAgain(earlier.services as ConfigServices, policy);
        const applied = await orProblem(config().rollback({ ...body, expected }, call));
        return new Reply(202, applied, { etag: etagOf(applied.revision) });
      },
    ),
  ];
}
