import * as v from "valibot";
import { ServiceName } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { type Endpoint, endpoint, notFound } from "#infra/http/endpoint.ts";
import type { CallOptions } from "#runtime";
import { ServiceAnswer } from "./answers.ts";
import { ORCHESTRATOR_REFUSALS } from "./refusals.ts";
import { type OrchestratorDeps, orProblem } from "./requests.ts";
import { publicView } from "./view.ts";

const ByName = v.object({ name: ServiceName });

/** What a service can be told beside its configuration. */
export function verbEndpoints({ troupe }: OrchestratorDeps): Endpoint[] {
  const service = (name: string) => troupe().ref(Service, name);
  const verb = (
    name: string,
    summary: string,
    description: string,
    does: (name: string, call: CallOptions) => Promise<unknown>,
  ): Endpoint =>
    endpoint(
      {
        tag: "Services",
        noun: "service",
        refusals: ORCHESTRATOR_REFUSALS.service,
        scope: "services",
        method: "POST",
        path: `/services/:name/${name}`,
        summary,
        description,
        params: ByName,
        unfitPath: 422,
        answer: { status: 202, description: "The service as it is now", schema: ServiceAnswer },
        problems: [404, 409],
      },
      async ({ params, call, look }) => {
        if ((await service(params.name).get(undefined, look)) === null) throw notFound("service");
        await orProblem(does(params.name, call));
        const shown = publicView(await service(params.name).get(undefined, look));
        if (!shown) throw notFound("service");
        return shown;
      },
    );

  return [
    verb(
      "restart",
      "Make every container anew",
      "One after the other, as in an update; requests are not dropped.",
      (name, call) => service(name).restart({ why: "a restart was asked for" }, call),
    ),
    verb(
      "redeploy",
      "Make every container anew, from what the image's tag stands for now",
      "One revision runs one image. Where the tag has moved since, this is how the new one comes in; an update that was taken back is tried again.",
      (name, call) => service(name).restart({ why: "a redeployment was asked for" }, call),
    ),
    verb(
      "pause",
      "Pause updates",
      "What runs is kept running. No container is replaced until `resume`.",
      (name, call) => service(name).pause(undefined, call),
    ),
    verb("resume", "Go on with updates", "The opposite of `pause`.", (name, call) =>
      service(name).resume(undefined, call),
    ),
    verb(
      "promote",
      "Give the revision that is tried to everybody",
      "Ends a canary: `update: { canary: 10% }`.",
      (name, call) => service(name).promote(undefined, call),
    ),
    verb(
      "abort",
      "Take an update back",
      "The last good revision runs again. 409 where no update is under way.",
      (name, call) => service(name).abort({ reason: "it was aborted by hand" }, call),
    ),
  ];
}
