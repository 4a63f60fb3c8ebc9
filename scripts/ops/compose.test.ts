import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { run } from "#infra/stack/command.ts";
import { loadSettings } from "../app/settings-sources.ts";
import { readSettings, VARIABLE_NAMES } from "../app/settings.ts";
import { ROLES } from "../app/variables.ts";
import { writeSecrets } from "./secrets.ts";
import { tool } from "./tools.ts";

const ROOT = join(import.meta.dir, "../..");
const text = readFileSync(join(ROOT, "compose.yaml"), "utf8");
const compose = tool("docker-compose");

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly secrets?: readonly (string | { readonly source: string })[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly depends_on?: Readonly<Record<string, unknown>>;
}
const { services, secrets, volumes } = parse(text, { merge: true }) as {
  services: Record<string, Service>;
  secrets: Record<string, { file: string }>;
  volumes: Record<string, null>;
};
const app = Object.entries(services).filter(([, { environment }]) => environment?.["TROUPE_ROLES"] !== undefined);

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "compose-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("compose.yaml runs each role of the app once, read-only and without rights, and the Docker socket only where it is asked for", () => {
  expect(new Set(app.map(([, { environment }]) => environment?.["TROUPE_ROLES"]))).toEqual(new Set(ROLES));
  expect(app).toHaveLength(ROLES.length);
  for (const [, service] of app) expect([service.read_only, service.cap_drop]).toEqual([true, ["ALL"]]);
  const withSocket = Object.entries(services).filter(([, service]) => service.volumes?.join().includes("docker.sock"));
  expect(withSocket.map(([name, { profiles }]) => [name, profiles])).toEqual([
    ["scaler", ["orchestrator"]],
    ["dozzle", ["tools"]],
  ]);
});

test("what compose.yaml names is there: secrets, volumes, services, files, and variables that the app knows", () => {
  for (const [name, service] of Object.entries(services)) {
    expect([name, service.healthcheck !== undefined || name === "secrets"]).toEqual([name, true]);
    for (const secret of service.secrets ?? [])
      expect(secrets[typeof secret === "string" ? secret : secret.source]).toBeDefined();
    for (const volume of service.volumes ?? []) {
      const [from = ""] = volume.split(/:(?=\/)/);
      if (/^[a-z]/.test(from)) expect(Object.keys(volumes)).toContain(from);
      else if (from.startsWith("./infra")) expect(existsSync(join(ROOT, from))).toBe(true);
    }
    for (const other of Object.keys(service.depends_on ?? {})) expect(services[other]).toBeDefined();
    for (const port of service.ports ?? []) expect(port).toMatch(/^(?:127\.0\.0\.1|\$\{TROUPE_BIND:-127\.0\.0\.1\}):/);
  }
  const known = new Set(VARIABLE_NAMES.flatMap((variable) => [variable, `${variable}_FILE`]));
  for (const [, { environment = {} }] of app)
    expect(Object.keys(environment).filter((variable) => !known.has(variable as never))).toEqual([]);
  expect(services["prometheus"]?.profiles).toEqual(["observability"]);
});

test("the secrets that are written fit to each other and to the app, and stay as they are", async () => {
  const into = join(folder, "secrets");
  const written = await writeSecrets(into);
  expect(
    Object.values(secrets)
      .map(({ file }) => file.replace(/^.*\//, ""))
      .toSorted(),
  ).toEqual([...written].toSorted());
  expect(await writeSecrets(into)).toEqual([]);
  expect(statSync(join(into, "admin_key")).mode & 0o777).toBe(0o444);
  const [, ingress] = app[0] ?? [];
  const environment = Object.fromEntries(
    Object.entries(ingress?.environment ?? {}).map(([name, value]) => [
      name,
      value.replace("/run/secrets", into).replace(/^\$\{\w+:-(.*)\}$/, "$1"),
    ]),
  );
  const { settings, originOf } = loadSettings({ ...environment, HOST: "0.0.0.0", TROUPE_DATA: folder });
  expect(settings.DATABASE_URL).toMatch(/^postgres:\/\/troupe:[\w-]{32}@postgres:5432\/troupe$/);
  expect(originOf("DATABASE_URL")).toBe("file of DATABASE_URL_FILE");
  expect(() => loadSettings({ DATABASE_URL_FILE: join(folder, "gone"), TROUPE_DATA: folder })).toThrow(
    "the file of DATABASE_URL_FILE cannot be read",
  );
  expect(() =>
    readSettings({ HOST: "0.0.0.0", TROUPE_AUTH: "on", DATABASE_URL: "postgres://troupe:troupe@db/x" }),
  ).toThrow("expected a password that is not everybody's");
});

test.skipIf(compose === undefined)(
  "docker compose takes the file with every profile, and with what is on top for development",
  async () => {
    const env = { TROUPE_SECRETS: join(folder, "secrets") };
    const files = ["--file", join(ROOT, "compose.yaml")];
    const whole = await run(compose ?? "", [...files, "--profile", "*", "config", "--services"], { env });
    expect(whole.trim().split("\n").toSorted()).toEqual(Object.keys(services).toSorted());
    const development = await run(
      compose ?? "",
      [...files, "--file", join(ROOT, "infra/stack/compose.dev.yaml"), "config", "postgres", "rabbitmq", "redis"],
      { env },
    );
    expect(development).toContain("POSTGRES_PASSWORD: troupe");
    expect(development).not.toMatch(/^ {4}secrets:/m);
  },
);
