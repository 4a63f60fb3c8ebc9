import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Problem } from "#infra/http/problem.ts";
import { createTroupe, memory, silentLog } from "#runtime";
import type { Troupe } from "#runtime";
import { createIngress } from "../../ingress/app.ts";
import { Autoscaler } from "../autoscaler/autoscaler.ts";
import { Config } from "../config/config.ts";
import { DEFAULT_POLICY, parseConfig } from "../config/config.ts";
import { Host } from "../host/host.ts";
import { Job } from "../job/job.ts";
import { Secret } from "../secret/secret.ts";
import { Service } from "../service/service.ts";
import { orchestratorRoutes } from "./orchestrator.ts";

let troupe: Troupe;
let app: { handle(request: Request): Promise<Response> };

beforeEach(async () => {
  troupe = await createTroupe({
    actors: [Config, Service, Job, Autoscaler, Secret, Host],
    stores: { default: memory() },
  });
  app = createIngress(
    {
      troupe: () => troupe,
      reports: () => {
        throw new Error("Not here");
      },
      audit: () => {
        throw new Error("Not here");
      },
      orders: () => {
        throw new Problem(503, "unavailable", "There are no read models here");
      },
      workflows: () => {
        throw new Problem(503, "unavailable", "There are no workflows here");
      },
      readiness: async () => ({ status: "ready", components: [] }),
      links: { workflow: () => null, temporalUi: null },
      log: silentLog,
    },
    [orchestratorRoutes({ troupe: () => troupe })],
  );
});
afterEach(async () => await troupe.stop());

interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  // Looked into by tests only.
  readonly body: {
    readonly [key: string]: unknown;
    readonly code?: string;
    readonly errors?: readonly { path: string; message: string }[];
  };
}

async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const init =
    body === undefined
      ? { method, headers }
      : { method, body, headers: { "content-type": "application/yaml", ...headers } };
  const response = await app.handle(new Request(`http://localhost${path}`, init));
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: (response.status === 204 ? {} : await response.json()) as Answer["body"],
  };
}

const FILE =
  "services:\n  web:\n    image: troupe/echo:1\n    replicas: 3\n  db:\n    image: troupe/echo:1\n    ports: ['9000:8080']\n";
const json = { "content-type": "application/json" };

/** Asks until the service has taken the message of the configuration. */
async function taken(name: string, replicas: number): Promise<Answer> {
  for (let turn = 0; turn < 500; turn++) {
    const answer = await ask("GET", `/services/${name}`);
    if ((await troupe.ref(Service, name).get())?.desired.replicas === replicas) return answer;
    await Bun.sleep(2);
  }
  throw new Error(`${name} never got ${replicas} replicas`);
}

describe("POST /config", () => {
  test("takes a whole file, and the same again changes nothing", async () => {
    const first = await ask("POST", "/config", FILE);
    expect(first.status).toBe(202);
    expect(first.body).toEqual({
      revision: 1,
      services: [
        { name: "db", change: "create", workflowId: "reconcile-service/db" },
        { name: "web", change: "create", workflowId: "reconcile-service/web" },
      ],
    });
    const again = await ask("POST", "/config", FILE);
    expect(again.body).toMatchObject({ revision: 1, services: [{ change: "unchanged" }, { change: "unchanged" }] });
  });

  test("says with ?dryRun=true what it would do, and does nothing", async () => {
    const plan = await ask("POST", "/config?dryRun=true", FILE);
    expect(plan).toMatchObject({
      status: 200,
      body: { revision: 1, services: [{ change: "create" }, { change: "create" }] },
    });
    expect((await ask("GET", "/config")).body).toEqual({ revision: 0, at: null, services: {} });
  });

  test("says with ?dryRun=true which revision it would change, and each place that would become another", async () => {
    await ask("POST", "/config", FILE);
    const next = "services:\n  web:\n    image: troupe/echo:1\n    replicas: 2\n  late:\n    image: troupe/echo:1\n";
    const { body } = await ask("POST", "/config?dryRun=true", next);
    const { before, diff } = body as unknown as {
      before: number;
      diff: { name: string; change: string; fields: unknown[] }[];
    };
    expect([before, diff.map(({ name, change }) => `${change} ${name}`)]).toEqual([
      1,
      ["remove db", "create late", "update web"],
    ]);
    expect(diff[2]?.fields).toContainEqual({ path: "/replicas", before: 3, after: 2 });
  });

  test("takes nothing of a file with one error, and names its place", async () => {
    const answer = await ask("POST", "/config", `${FILE}    privileged: true\n`);
    expect(answer.status).toBe(422);
    expect(answer.body.code).toBe("config.invalid");
    expect(answer.body.errors?.[0]).toMatchObject({
      path: "line 8, column 5",
      message: "/services/db/privileged is not a known key",
    });
    expect((await ask("GET", "/config")).body).toMatchObject({ revision: 0 });
  });

  test("removes what the next file leaves out", async () => {
    await ask("POST", "/config", FILE);
    const next = await ask("POST", "/config", "services:\n  web:\n    image: troupe/echo:1\n    replicas: 2\n");
    expect(next.body).toMatchObject({
      revision: 2,
      services: [
        { name: "db", change: "remove" },
        { name: "web", change: "update" },
      ],
    });
  });

  test("takes effect once for one Idempotency-Key", async () => {
    const key = { "idempotency-key": "k1" };
    await ask("POST", "/config", FILE, key);
    expect((await ask("POST", "/config", FILE, key)).body).toMatchObject({
      revision: 1,
      services: [{ change: "create" }, { change: "create" }],
    });
  });

  test("refuses other media types, large bodies and bytes that are not UTF-8", async () => {
    expect((await ask("POST", "/config", FILE, { "content-type": "text/html" })).status).toBe(415);
    expect((await ask("POST", "/config", "x".repeat(1024 * 1024 + 1))).status).toBe(413);
    const bytes = new Request("http://localhost/config", {
      method: "POST",
      body: new Uint8Array([0xff, 0xfe]),
      headers: { "content-type": "application/yaml" },
    });
    expect((await app.handle(bytes)).status).toBe(400);
  });
});

describe("revisions", () => {
  test("are listed newest first, and an earlier one becomes a new one", async () => {
    await ask("POST", "/config", FILE);
    await ask("POST", "/config", "services: {}");
    const back = await ask("POST", "/config/rollback", JSON.stringify({ revision: 1 }), json);
    expect(back).toMatchObject({ status: 202, body: { revision: 3 } });
    const { body } = await ask("GET", "/config/revisions");
    expect(body).toMatchObject({
      items: [{ revision: 3, cause: "rollback" }, { revision: 2 }, { revision: 1, services: ["db", "web"] }],
    });
    expect((await ask("POST", "/config/rollback", JSON.stringify({ revision: 9 }), json)).status).toBe(404);
    expect((await ask("POST", "/config/rollback", "{}", json)).status).toBe(422);
    expect((await ask("POST", "/config/rollback", "{", json)).status).toBe(400);
  });

  test("the file that GET /config shows can be sent back", async () => {
    await ask("POST", "/config", FILE);
    const { services } = (await ask("GET", "/config")).body;
    expect((await ask("POST", "/config", JSON.stringify({ services }), json)).body).toMatchObject({ revision: 1 });
  });
});

describe("/services/:name", () => {
  test("shows what is desired, observed and how far it is", async () => {
    await ask("POST", "/config", FILE);
    const { status: code, body } = await taken("web", 3);
    expect(code).toBe(200);
    expect(body).toEqual({
      name: "web",
      desired: { replicas: 3, image: "troupe/echo:1", revision: expect.stringMatching(/^[0-9a-f]{12}$/) },
      observed: [],
      status: "progressing",
      conditions: [],
      outbox: "PENDING",
      paused: false,
    });
    expect((await ask("GET", "/services?limit=1")).body).toMatchObject({ items: [{ name: "db" }], next: "db" });
    expect((await ask("GET", "/services?limit=1&cursor=db")).body).toMatchObject({ items: [{ name: "web" }] });
  });

  test("changes the number of replicas through a new revision", async () => {
    await ask("POST", "/config", FILE);
    const answer = await ask("PATCH", "/services/web", JSON.stringify({ replicas: 5 }), json);
    expect(answer).toMatchObject({
      status: 202,
      body: { name: "web", revision: 2, change: "update", workflowId: "reconcile-service/web" },
    });
    await taken("web", 5);
    expect((await ask("GET", "/config")).body).toMatchObject({ services: { web: { replicas: 5 } } });
  });

  test("refuses replicas that cannot be, or that would share a pinned port", async () => {
    await ask("POST", "/config", FILE);
    for (const replicas of [-1, 101, 1.5, "3", null]) {
      expect((await ask("PATCH", "/services/web", JSON.stringify({ replicas }), json)).status).toBe(422);
    }
    expect((await ask("PATCH", "/services/db", JSON.stringify({ replicas: 2 }), json)).body.code).toBe(
      "service.port_pinned",
    );
  });

  test("is removed by DELETE through a new revision", async () => {
    await ask("POST", "/config", FILE);
    expect(await ask("DELETE", "/services/web")).toMatchObject({
      status: 202,
      body: { revision: 2, change: "remove" },
    });
    expect((await ask("DELETE", "/services/web")).status).toBe(404);
  });

  test("answers 404 for strangers and 422 for names that cannot be", async () => {
    expect((await ask("GET", "/services/nobody")).body.code).toBe("service.not_found");
    expect((await ask("PATCH", "/services/nobody", '{"replicas":1}', json)).status).toBe(404);
    expect((await ask("GET", "/services/constructor")).status).toBe(404);
    for (const name of ["A", "..%2Fx", "-v", "a".repeat(64)])
      expect((await ask("GET", `/services/${name}`)).status).toBe(422);
  });
});

describe("the configuration is guarded", () => {
  test("by If-Match: what was changed meanwhile is not overwritten", async () => {
    await ask("POST", "/config", FILE);
    expect((await ask("POST", "/config", "services: {}", { "if-match": '"7"' })).body.code).toBe(
      "config.revision_moved",
    );
    expect((await ask("POST", "/config", "services: {}", { "if-match": "7" })).status).toBe(400);
    expect((await ask("POST", "/config", "services: {}", { "if-match": '"1"' })).body).toMatchObject({ revision: 2 });
    const back = JSON.stringify({ revision: 1 });
    expect((await ask("POST", "/config/rollback", back, { ...json, "if-match": '"1"' })).status).toBe(412);
  });

  test("by the policy of today, also on the way back to an earlier revision", async () => {
    const once = "services:\n  web: { image: 'once/allowed:1' }\n";
    const parsed = parseConfig(once, { ...DEFAULT_POLICY, images: ["once/*"] });
    if (!parsed.ok) throw new Error("expected a valid file");
    await troupe.ref(Config, "main").apply({ services: parsed.services, gateway: [], expected: null });
    await ask("POST", "/config", "services: {}");
    const back = await ask("POST", "/config/rollback", JSON.stringify({ revision: 1 }), json);
    expect(back).toMatchObject({ status: 422, body: { code: "config.not_allowed" } });
    expect(back.body.errors?.[0]).toMatchObject({ path: "/services/web/image" });
  });
});

describe("what can be looked at", () => {
  test("what a revision has changed", async () => {
    await ask("POST", "/config", FILE);
    await ask("PATCH", "/services/web", JSON.stringify({ replicas: 5 }), json);
    expect((await ask("GET", "/config/revisions/2/diff")).body).toEqual({
      revision: 2,
      before: 1,
      services: [{ name: "web", change: "update", fields: [{ path: "/replicas", before: 3, after: 5 }] }],
    });
    expect((await ask("GET", "/config/revisions/1/diff")).body).toMatchObject({
      before: 0,
      services: [{ change: "create" }, { change: "create" }],
    });
    expect((await ask("GET", "/config/revisions/9/diff")).status).toBe(404);
  });

  test("the schema for editors: every key, each with its shape, and no other", async () => {
    const { body } = await ask("GET", "/config/schema");
    const { services, gateway } = body["properties"] as Record<string, Record<string, unknown>>;
    const service = services?.["additionalProperties"] as {
      properties: Record<string, object>;
      [key: string]: unknown;
    };
    expect(service["additionalProperties"]).toBe(false);
    expect(Object.keys(service.properties)).toEqual(
      expect.arrayContaining(["image", "env", "health", "update", "scale", "volumes", "dependsOn", "stop"]),
    );
    expect(service.properties["update"]).toMatchObject({
      additionalProperties: false,
      properties: { maxSurge: { type: "integer", minimum: 0 }, order: { enum: ["start-first", "stop-first"] } },
    });
    expect(gateway).toMatchObject({
      type: "array",
      items: { additionalProperties: false, required: ["path"] },
    });
  });

  test("secrets, but never their values", async () => {
    const put = await ask("PUT", "/secrets/token", JSON.stringify({ value: "canary" }), json);
    expect([put.status, put.body]).toEqual([201, { name: "token", version: 1, updatedAt: expect.any(String) }]);
    expect((await ask("PUT", "/secrets/token", JSON.stringify({ value: "canary2" }), json)).status).toBe(200);
    const shown = [await ask("GET", "/secrets"), await ask("GET", "/secrets/token")];
    expect(JSON.stringify(shown)).not.toContain("canary");
    expect((await ask("DELETE", "/secrets/token")).status).toBe(204);
    expect((await ask("GET", "/secrets/token")).status).toBe(404);
    expect((await ask("PUT", "/secrets/A", JSON.stringify({ value: "x" }), json)).status).toBe(422);
  });

  test("what happened to a service, and why there are so many", async () => {
    await ask("POST", "/config", FILE);
    await taken("web", 3);
    expect((await ask("GET", "/services/web/events")).body).toMatchObject({ items: [{ type: "configured" }] });
    expect((await ask("GET", "/services/web/explain")).body).toEqual({
      replicas: 3,
      configured: 3,
      now: null,
      decisions: [],
    });
    for (const path of ["events", "explain", "stats", "logs"])
      expect((await ask("GET", `/services/nobody/${path}`)).status).toBe(404);
    expect((await ask("GET", "/services/web/logs?since=yesterday")).status).toBe(422);
    expect((await ask("GET", "/services/web/logs")).body.code).toBe("docker.unavailable");
    expect((await ask("GET", "/hosts")).body).toEqual({ items: [], next: null });
  });
});

describe("verbs", () => {
  test("pause, resume, restart and redeploy are taken; promote and abort only while there is an update", async () => {
    await ask("POST", "/config", FILE);
    const first = await taken("web", 3);
    expect((await ask("POST", "/services/web/pause")).body).toMatchObject({ paused: true });
    expect((await ask("POST", "/services/web/resume")).body).toMatchObject({ paused: false });
    const before = (first.body["desired"] as { revision: string }).revision;
    for (const verb of ["restart", "redeploy"]) {
      const { status, body } = await ask("POST", `/services/web/${verb}`);
      expect([status, (body["desired"] as { revision: string }).revision === before]).toEqual([202, false]);
    }
    for (const verb of ["promote", "abort"]) expect((await ask("POST", `/services/web/${verb}`)).status).toBe(409);
    expect((await ask("POST", "/services/nobody/restart")).status).toBe(404);
  });

  test("a name that every object has is a stranger's", async () => {
    for (const name of ["constructor", "tostring", "valueof"]) {
      expect((await ask("PATCH", `/services/${name}`, JSON.stringify({ replicas: 1 }), json)).status).toBe(404);
      expect((await ask("DELETE", `/services/${name}`)).status).toBe(404);
    }
  });
});
