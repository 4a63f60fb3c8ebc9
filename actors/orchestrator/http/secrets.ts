import * as v from "valibot";
import { SecretName, SecretView } from "#actors/orchestrator/secret/messages.ts";
import { Secret, secretPlace, secretView } from "#actors/orchestrator/secret/secret.ts";
import { type Endpoint, endpoint, notFound, Reply } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import { plainBox } from "#infra/secrets/secret-box.ts";
import type { OrchestratorDeps } from "./requests.ts";

const SECRET = { tag: "Services", noun: "secret", scope: "services" } as const;
const ByName = v.object({ name: SecretName });
const MAX_VALUE = 64 * 1024;

/** The endpoints below `/secrets`. No answer ever holds a value. */
export function secretEndpoints({ troupe, secrets = plainBox }: OrchestratorDeps): Endpoint[] {
  return [
    endpoint(
      {
        ...SECRET,
        method: "PUT",
        path: "/secrets/:name",
        summary: "Put a secret, or change it",
        description:
          "A service gets it as a variable: `env: { TOKEN: { secret: token } }`. Containers that run keep what they have: `POST /services/:name/restart` gives them the new value.",
        params: ByName,
        unfitPath: 422,
        body: v.strictObject({
          value: v.pipe(
            v.string(),
            v.minLength(1),
            v.maxLength(MAX_VALUE),
            v.check((value) => !value.includes("\0"), "must not contain NUL"),
          ),
        }),
        answer: { status: 200, description: "Changed", schema: SecretView },
        otherAnswers: [{ status: 201, description: "Made", schema: SecretView }],
      },
      async ({ params: { name }, body: { value }, call }) => {
        const sealed = await secrets.seal(value, secretPlace(name));
        const view = await troupe().ref(Secret, name).put({ sealed }, withoutId(call));
        return new Reply(view.version === 1 ? 201 : 200, view);
      },
    ),
    endpoint(
      {
        ...SECRET,
        method: "GET",
        path: "/secrets/:name",
        summary: "Show that there is a secret",
        params: ByName,
        answer: { status: 200, description: "Its version and when it was put; never its value", schema: SecretView },
        problems: [404],
      },
      async ({ params: { name }, look }) => {
        const view = await troupe().ref(Secret, name).get(undefined, look);
        if (view === null) throw notFound("secret");
        return view;
      },
    ),
    endpoint(
      {
        ...SECRET,
        method: "GET",
        path: "/secrets",
        summary: "List the secrets",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the name", schema: pageOf(SecretView) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Secret, page),
          query,
          ({ key, state }) => secretView(key, state),
        ),
    ),
    endpoint(
      {
        ...SECRET,
        method: "DELETE",
        path: "/secrets/:name",
        summary: "Remove a secret",
        params: ByName,
        answer: { status: 204, description: "Gone" },
        problems: [404],
      },
      async ({ params: { name }, call }) => {
        if (!(await troupe().ref(Secret, name).remove(undefined, call))) throw notFound("secret");
        return undefined;
      },
    ),
  ];
}

/** What is sealed twice is never the same, so it cannot be told from another value: the same call again puts it again. */
function withoutId<C extends { id?: string }>({ id: _id, ...call }: C): Omit<C, "id"> {
  return call;
}
