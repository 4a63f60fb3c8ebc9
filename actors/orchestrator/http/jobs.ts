import * as v from "valibot";
import { Config } from "#actors/orchestrator/config/config.ts";
import { Job, jobView } from "#actors/orchestrator/job/job.ts";
import { JobView } from "#actors/orchestrator/job/messages.ts";
import { ServiceName } from "#actors/orchestrator/service/messages.ts";
import { type Endpoint, endpoint, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import type { CallOptions } from "#runtime";
import { type OrchestratorDeps, orProblem } from "./requests.ts";

const ByName = v.object({ name: ServiceName });
const JOB = { tag: "Jobs", noun: "job", scope: "services" } as const;

/** The endpoints below `/jobs`: services with a `schedule`. */
export function jobEndpoints({ troupe }: OrchestratorDeps): Endpoint[] {
  const job = (name: string) => troupe().ref(Job, name);
  const shown = async (name: string, look: CallOptions): Promise<JobView> => {
    const view = await job(name).get(undefined, look);
    if (view === null) throw notFound("job");
    return view as JobView;
  };
  const verb = (
    name: string,
    summary: string,
    description: string,
    does: (name: string, call: CallOptions) => Promise<unknown>,
  ): Endpoint =>
    endpoint(
      {
        ...JOB,
        method: "POST",
        path: `/jobs/:name/${name}`,
        summary,
        description,
        params: ByName,
        unfitPath: 422,
        answer: { status: 202, description: "The job as it is now", schema: JobView },
        problems: [404, 409],
      },
      async ({ params, call, look }) => {
        await orProblem(does(params.name, call));
        return await shown(params.name, look);
      },
    );

  return [
    endpoint(
      {
        ...JOB,
        method: "GET",
        path: "/jobs",
        summary: "List jobs",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: pageOf(JobView) },
      },
      async ({ query }) =>
        await readPage(
          (page) => troupe().list(Job, page),
          query,
          ({ key, state }) => jobView(key, state) ?? undefined,
        ),
    ),
    endpoint(
      {
        ...JOB,
        method: "GET",
        path: "/jobs/:name",
        summary: "Show a job, with its runs",
        params: ByName,
        unfitPath: 422,
        answer: { status: 200, description: "When it runs, and what became of its last runs", schema: JobView },
        problems: [404],
      },
      async ({ params: { name }, look }) => await shown(name, look),
    ),
    endpoint(
      {
        ...JOB,
        method: "DELETE",
        path: "/jobs/:name",
        summary: "Remove a job",
        description: "As a new revision of the configuration. A run under way is ended.",
        params: ByName,
        unfitPath: 422,
        answer: {
          status: 202,
          description: "The revision",
          schema: v.object({ name: v.string(), revision: v.number() }),
        },
        problems: [404],
      },
      async ({ params: { name }, call, look }) => {
        await shown(name, look);
        const { revision } = await orProblem(troupe().ref(Config, "main").drop({ name }, call));
        return { name, revision };
      },
    ),
    verb(
      "run",
      "Run a job now",
      "Whatever its schedule says. 409 where it runs, and may not run twice.",
      (name, call) => job(name).run(undefined, call),
    ),
    verb("pause", "Pause a job's schedule", "A run under way goes on; `run` is still possible.", (name, call) =>
      job(name).pause({ paused: true }, call),
    ),
    verb(
      "resume",
      "Go on with a job's schedule",
      "Times that have passed meanwhile are not made up for.",
      (name, call) => job(name).pause({ paused: false }, call),
    ),
  ];
}
