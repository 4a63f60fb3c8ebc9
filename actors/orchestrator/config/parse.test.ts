import { describe, expect, test } from "bun:test";
import { fileForm } from "./file-form.ts";
import { parseConfig } from "./parse.ts";
import { DEFAULT_POLICY, imageObjection, policyFromEnv } from "./policy.ts";

function issuesOf(text: string): string[] {
  const parsed = parseConfig(text);
  return parsed.ok ? [] : parsed.issues.map((issue) => `${issue.path}: ${issue.message}`);
}
const service = (line: string): string => `services:\n  web:\n    image: troupe/echo:1\n    ${line}\n`;

describe("parseConfig() takes", () => {
  test("every key of a service, and fills in the rest", () => {
    const parsed = parseConfig(`
services:
  web:
    image: troupe/echo:1
    replicas: 3
    command: ["serve"]
    env: { GREETING: hello, PORT: 8080, ON: true }
    ports: [8080, "9443"]
    resources: { memory: 64MiB, cpus: 0.5, pids: 100 }
  db: { image: "troupe/echo:1", ports: ["9000:8080"] }
`);
    expect(parsed).toMatchObject({
      ok: true,
      services: {
        web: {
          replicas: 3,
          spec: {
            image: "troupe/echo:1",
            command: ["serve"],
            env: { GREETING: "hello", PORT: "8080", ON: "true" },
            ports: [
              { container: 8080, host: null },
              { container: 9443, host: null },
            ],
            resources: { memoryBytes: 64 * 1024 ** 2, cpus: 0.5, pids: 100 },
          },
        },
        db: {
          replicas: 1,
          spec: {
            image: "troupe/echo:1",
            command: [],
            env: {},
            ports: [{ container: 8080, host: 9000 }],
            resources: { memoryBytes: 256 * 1024 ** 2, cpus: 1, pids: 128 },
          },
        },
      },
    });
  });

  test("an empty set of services", () => {
    expect(parseConfig("services: {}\n")).toEqual({ ok: true, services: {}, gateway: [] });
  });

  test.each([
    'ports: [8080, "9000:81"]',
    "resources: { memory: 1GB, cpus: 0.25 }",
    "resources: { memory: 6.001MiB }",
    "env: { A: 0123, B: { secret: token } }",
    'ports: [80]\n    health: { http: "/health", interval: 250ms }',
    "health: { exec: [/bin/check], startPeriod: 90s }",
    "update: { order: stop-first, maxUnavailable: 2, minReady: 3s, deadline: 90s, canary: 12.5% }",
    "ports: [80]\n    scale: { min: 0, max: 5, on: { inFlight: 20, cpu: 70% }, down: 90s, toZeroAfter: 5m }",
    "scale: { max: 3, on: { kafkaLag: { group: g, topic: t, perReplica: 100 } } }",
    'volumes: ["data:/data", "/srv/site:/www:ro", "./logs:/logs"]\n    networks: [back]\n    stop: { grace: 1500ms }',
  ])("what fileForm() gives back: %s", (line) => {
    const policy = { ...DEFAULT_POLICY, bindRoots: ["/srv"] };
    const first = parseConfig(service(line), policy);
    if (!first.ok) throw new Error(JSON.stringify(first.issues));
    expect(parseConfig(JSON.stringify({ services: fileForm(first.services) }), policy)).toEqual(first);
  });

  const envOf = (lines: string) => {
    const parsed = parseConfig(service(`env:${lines}`));
    return parsed.ok ? parsed.services["web"]?.spec.env : parsed.issues;
  };
  test("values of variables as they were written", () => {
    const written =
      "\n      A: 0123\n      B: 1.0\n      C: 0x1F\n      D: 1e3\n      E: yes\n      F: True\n      G: 12345678901234567890";
    expect(envOf(written)).toEqual({
      A: "0123",
      B: "1.0",
      C: "0x1F",
      D: "1e3",
      E: "yes",
      F: "True",
      G: "12345678901234567890",
    });
    expect(envOf(" { discovery.type: single-node, A-B: 1 }")).toEqual({ "discovery.type": "single-node", "A-B": "1" });
  });

  test("Compose's list of variables", () => {
    expect(envOf("\n      - A=b\n      - B=1.0=x\n      - C=")).toEqual({ A: "b", B: "1.0=x", C: "" });
  });

  test("brackets that are text", () => {
    const brackets = "[{".repeat(200);
    const text = `# ${brackets}\n${service(`env: { A: "${brackets}" } # ${brackets}`)}`;
    expect(parseConfig(text).ok).toBe(true);
    expect(parseConfig(service(`env: { A: '${brackets}' }`)).ok).toBe(true);
    expect(
      parseConfig(`services:\n  web:\n    image: troupe/echo:1\n    command:\n      - |\n        ${brackets}\n`).ok,
    ).toBe(true);
  });
});

describe("parseConfig() names", () => {
  test("every error at once, with line, column and pointer, in order", () => {
    const text =
      "services:\n  Web:\n    image: nginx:latest\n    replicas: 101\n    replica: 2\n    env: { A=B: 1, C: [1.5] }\n  c: {}\nother: 1\n";
    expect(issuesOf(text)).toEqual([
      "line 2, column 3: /services/Web is not a name: lower case, digits and hyphens, at most 63, a letter first",
      "line 3, column 12: /services/Web/image must not be tagged latest: it says nothing about what runs",
      "line 4, column 15: /services/Web/replicas must be a whole number from 0 to 100",
      "line 5, column 5: /services/Web/replica is not a known key: did you mean replicas?",
      "line 6, column 12: /services/Web/env/A=B is not the name of a variable",
      "line 6, column 23: /services/Web/env/C must be text, a number or a boolean: put anything else in quotes",
      "line 7, column 6: /services/c/image is required",
      "line 8, column 1: /other is not a known key",
    ]);
  });

  test("ports that cannot be", () => {
    expect(issuesOf(service('ports: [0, 65536, 80.5, "x", "1:2:3", "0:80"]'))).toHaveLength(6);
    expect(issuesOf(service("ports: [80, 80]"))[0]).toContain("names the container port 80 again");
    expect(issuesOf(service('replicas: 2\n    ports: ["9000:80"]'))[0]).toContain("one replica only");
    const twice =
      'services:\n  a: { image: "troupe/echo:1", ports: ["9000:80"] }\n  b: { image: "troupe/echo:1", ports: ["9000:80"] }\n';
    expect(issuesOf(twice)[0]).toContain("which a pins already");
  });

  test.each(["resources", "health", "update", "scale", "stop"])("a list where %s means a map", (key) => {
    expect(issuesOf(service(`${key}: []`))).toEqual([expect.stringContaining(`/services/web/${key} must be a map`)]);
    expect(issuesOf(service(`${key}: [a]`))).toEqual([expect.stringContaining(`/services/web/${key} must be a map`)]);
  });

  test("lists where services and variables are meant", () => {
    expect(issuesOf("services: []")).toEqual([expect.stringContaining("/services must be a map")]);
    expect(issuesOf("services: { a: [] }")).toEqual([expect.stringContaining("/services/a must be a map")]);
    expect(issuesOf(service("env: [A=b, C, 1, A=c, =d]"))).toHaveLength(4);
  });

  test("keys of inner maps that nobody knows", () => {
    const issues = issuesOf(
      service(
        "update: { maxSurg: 1 }\n    ports: [80]\n    scale: { max: 2, on: { inflight: 1, natsPending: { stram: x } } }",
      ),
    );
    expect(issues.filter((issue) => issue.includes("did you mean"))).toEqual([
      expect.stringContaining("did you mean maxSurge?"),
      expect.stringContaining("did you mean inFlight?"),
      expect.stringContaining("did you mean stream?"),
    ]);
  });

  const impossible: readonly [string, string][] = [
    ["health: { http: /x }", "there are no ports"],
    ["ports: [80]\n    health: { tcp: 81 }", "not one of ports"],
    ["health: {}", "exactly one of http, tcp and exec"],
    ["health: { tcp: 80, exec: [a] }", "exactly one of http, tcp and exec"],
    ["health: { exec: [a], interval: 2 }", "must be a duration"],
    ["update: { maxSurge: 0 }", "nothing can be replaced"],
    ["update: { canary: 0% }", "must be a share"],
    ["scale: { max: 1, min: 2, on: { cpu: 50% } }", "min above its max"],
    ["scale: { max: 2, on: {} }", "at least one thing"],
    ["scale: { max: 2, on: { inFlight: 5 } }", "has no ports"],
    ['ports: ["9000:80"]\n    scale: { max: 2, on: { inFlight: 5 } }', "one replica only"],
    ["dependsOn: [db]", "is no service of this file"],
    ["dependsOn: [web]", "leads back to the service itself"],
    ["volumes: [/etc:/etc]", "none may be mounted"],
    ["volumes: [/var/run/docker.sock:/x]", "none may be mounted"],
    ["volumes: ['data:/']", "below /"],
    ["volumes: ['data:/a/../b']", "without . or .."],
    ["volumes: ['a:/x', 'b:/x']", "the same path"],
    ["volumes: ['A:/x']", "name of a volume"],
    ["volumes: [data]", '"name:/path"'],
    ["networks: [host, Back]", "must be a name"],
    ["stop: { grace: 1h }", "must be a duration"],
  ];
  test.each(impossible)("%s: %s", (line, message) => {
    expect(issuesOf(service(line)).join("\n")).toContain(message);
  });

  test("paths of the host that are not below an allowed directory", () => {
    const policy = { ...DEFAULT_POLICY, bindRoots: ["/srv/a"] };
    for (const path of ["/srv/ab", "/srv", "/srv/a/../../etc", "../etc", "~/x", "/srv/a/./b"])
      expect(parseConfig(service(`volumes: ['${path}:/x']`), policy).ok).toBe(false);
    expect(parseConfig(service("volumes: ['/srv/a:/x', './b:/y']"), policy).ok).toBe(true);
  });

  test("gateway rules that cannot be", () => {
    const rules = (text: string) =>
      issuesOf(`services: { web: { image: "troupe/echo:1", ports: [80] } }\ngateway: ${text}\n`);
    expect(
      rules("[{ path: /shop, service: web, cors: { origins: ['https://a.example'] }, rateLimit: 5, key: orders }]"),
    ).toEqual([]);
    for (const [text, message] of [
      ["{}", "must be a list"],
      ["[[]]", "must be a map"],
      ["[{ path: shop, service: web }]", "must be a path"],
      ["[{ path: /shop/, service: web }]", "must be a path"],
      ["[{ path: /s/web, service: web }]", "reached by name"],
      ["[{ path: /a/../b, service: web }]", "must not hold"],
      ["[{ path: /shop, service: none }]", "is no service of this file"],
      ["[{ path: /shop, service: web, stripPrefx: true }]", "did you mean stripPrefix?"],
      ["[{ path: /shop, service: web, key: root }]", "must be a scope"],
      ["[{ path: /shop, service: web, cors: { origins: ['*'] } }]", "must be an origin"],
      ["[{ path: /a, service: web }, { path: /a, service: web }]", "another rule already"],
    ] as const)
      expect(rules(text).join("\n")).toContain(message);
  });

  test("limits beyond the policy, and sizes without a unit", () => {
    expect(issuesOf(service("resources: { memory: 5GiB, cpus: 99, pids: 100000 }"))).toHaveLength(3);
    expect(issuesOf(service("resources: { memory: 64 }"))[0]).toContain("with its unit");
    expect(issuesOf(service("resources: { memory: 1MiB }"))[0]).toContain("at least 6MiB");
  });

  test("never the value that was given", () => {
    const parsed = parseConfig(service("env: { KEY: [canary-secret] }\n    command: canary-secret"));
    expect(JSON.stringify(parsed)).not.toContain("canary-secret");
  });
});

// S11: one case per field of the engine's HostConfig, and the words other tools have for them.
const HOST_CONFIG =
  `privileged cap_add capAdd CapAdd cap_drop network_mode networkMode NetworkMode pid PidMode ipc IpcMode devices Devices
  device_cgroup_rules security_opt SecurityOpt userns userns_mode UsernsMode sysctls Sysctls runtime Runtime binds Binds mounts Mounts tmpfs
  volumes_from VolumesFrom volume_driver VolumeDriver uts UTSMode cgroup_parent CgroupParent cgroupns_mode extra_hosts ExtraHosts dns Dns links
  Links group_add GroupAdd oom_score_adj OomScoreAdj oom_kill_disable shm_size ShmSize ulimits Ulimits log_config LogConfig logging restart
  RestartPolicy AutoRemove PublishAllPorts ReadonlyRootfs StorageOpt init Isolation MaskedPaths ReadonlyPaths BlkioWeight CpuShares MemorySwap
  user User entrypoint Entrypoint working_dir labels Labels build container_name hostname domainname configs HostConfig expose gpus`.split(
    /\s+/,
  );

describe("parseConfig() refuses by name", () => {
  test.each(HOST_CONFIG)("%s", (key) => {
    expect(issuesOf(service(`${key}: true`))[0]).toStartWith(
      `line 4, column 5: /services/web/${key} is not a known key`,
    );
  });

  const names = ["../x", "a/b", "-v", "$(id)", "A", "1a", "a".repeat(64), "wéb", "a b", "a.b", "a_b", "раypal"];
  test.each(names)("the service %s", (name) => {
    expect(issuesOf(`services:\n  ${JSON.stringify(name)}: { image: "troupe/echo:1" }\n`)[0]).toContain(
      "is not a name",
    );
  });

  test.each(["__proto__", "constructor", "prototype"])("the key %s, and leaves objects as they are", (key) => {
    expect(issuesOf(`services:\n  ${key}: { image: "troupe/echo:1" }\n`)).toEqual([
      "line 2, column 3: this key cannot be used",
    ]);
    expect(issuesOf(service(`env: { ${key}: x }`))).toHaveLength(1);
    expect(({} as Record<string, unknown>)["image"]).toBeUndefined();
  });
});

// S9, S10: a corpus of odd YAML.
const ODD: readonly [string, string][] = [
  ["aliases", "a: &x 1\nb: *x"],
  [
    "a bomb of aliases",
    `a: &a [x,x]\n${"bcdefghi"
      .split("")
      .map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]`)
      .join("\n")}`,
  ],
  ["a cycle", "a: &a [*a]"],
  ["a key twice", "services: {}\nservices: {}"],
  ["two documents", "services: {}\n---\nservices: {}"],
  ["a tag", "services: !!js/function x"],
  ["a binary", "services: !!binary aGVsbG8="],
  ["a key that is a list", "? [a]\n: b"],
  ["an empty key", "? \n: x"],
  ["deep brackets", "[".repeat(100_000)],
  ["deep dashes", `${"- ".repeat(50_000)}x`],
  ["deep maps", Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  ["very many values", `services:\n${Array.from({ length: 12_000 }, (_, i) => ` s${i}: 1`).join("\n")}`],
  ["a huge file", `services: {} #${"x".repeat(300_000)}`],
  ["an open bracket", "services: {a: [1"],
  ["nothing", ""],
  ["a list", "- a"],
  ["text", "hello"],
  ["services that are nothing", "services:"],
  ["a merge key", "<<: {services: {}}"],
  ["control characters", "services: {a: \u0000}"],
];

describe("parseConfig() survives", () => {
  test.each(ODD)("%s", (_, text) => {
    expect(issuesOf(text).length).toBeGreaterThan(0);
  });
});

describe("imageObjection()", () => {
  test.each([
    "troupe/echo:1",
    "troupe/a/b:v1.2",
    `troupe/echo@sha256:${"a".repeat(64)}`,
    `troupe/echo:1@sha256:${"a".repeat(64)}`,
  ])("takes %s", (image) => {
    expect(imageObjection(image, DEFAULT_POLICY)).toBeUndefined();
  });

  const refused = [
    "",
    "troupe/echo",
    "troupe/echo:latest",
    "troupe/echo:LATEST",
    "nginx:1",
    "xtroupe/echo:1",
    "troupe/../x:1",
    "troupe//x:1",
    "troupe/echo:1 --privileged",
  ];
  test.each([
    ...refused,
    "troupe/echo:",
    "-v:1",
    "troupe/$(id):1",
    "troupe/echo@sha256:abc",
    "evil/troupe/echo:1",
    `troupe/${"a".repeat(300)}:1`,
    "troupe/écho:1",
  ])("refuses %s", (image) => {
    expect(imageObjection(image, DEFAULT_POLICY)).toBeString();
  });

  test("takes what the environment adds", () => {
    const policy = policyFromEnv({ TROUPE_IMAGES: "mine/*, other/one" });
    expect(imageObjection("mine/any:1", policy)).toBeUndefined();
    expect(imageObjection("other/one:1", policy)).toBeUndefined();
    expect(imageObjection("other/two:1", policy)).toContain("is not allowed");
  });
});

describe("parseConfig() of a service with a schedule", () => {
  const job = (schedule: string, more = ""): string =>
    `services:\n  nightly:\n    image: troupe/echo:1\n    schedule: ${schedule}\n${more}`;

  test("takes a cron line with its zone, or once, and writes both back as they were", () => {
    const parsed = parseConfig(job('{ cron: "0  3 * * 1-5", zone: Europe/Berlin, deadline: 10m }'));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
    expect(parsed.services["nightly"]?.job).toEqual({
      cron: "0 3 * * 1-5",
      zone: "Europe/Berlin",
      concurrency: "forbid",
      deadlineMs: 600_000,
      history: 10,
    });
    const once = parseConfig(job("{ once: true, concurrency: replace, history: 3 }"));
    if (!once.ok) throw new Error(JSON.stringify(once.issues));
    expect(once.services["nightly"]?.job).toMatchObject({ cron: null, concurrency: "replace", history: 3 });
    for (const { services } of [parsed, once]) {
      const again = parseConfig(JSON.stringify({ services: fileForm(services) }));
      expect(again).toMatchObject({ ok: true, services });
    }
  });

  test("names what cannot be", () => {
    for (const [schedule, message] of [
      ["{}", "must have exactly one of cron and once"],
      ['{ cron: "* * * * *", once: true }', "must have exactly one of cron and once"],
      ["{ once: true, zone: Europe/Berlin }", "takes zone beside cron alone"],
      ['{ cron: "61 * * * *" }', "must be a cron line of five fields"],
      ['{ cron: "0 0 30 2 *" }', "must be a cron line of five fields"],
      ['{ cron: "* * * * * *" }', "must be a cron line of five fields"],
      ['{ cron: "@daily" }', "must be a cron line of five fields"],
      ['{ cron: "0 3 * * *", zone: Mars/Olympus }', "must be a time zone"],
      ['{ cron: "0 3 * * *", concurrency: maybe }', "must be allow, forbid or replace"],
      ['{ cron: "0 3 * * *", deadlin: 1m }', "did you mean deadline?"],
    ] as const)
      expect(issuesOf(job(schedule)).join("\n")).toContain(message);
  });

  test("takes nothing that is for services that go on, and nobody may depend on it", () => {
    const keys = "    replicas: 2\n    ports: [80]\n    dependsOn: [web]\n";
    const issues = issuesOf(`${job("{ once: true }", keys)}  web: { image: "troupe/echo:1", dependsOn: [nightly] }\n`);
    for (const key of ["replicas", "ports", "dependsOn"])
      expect(
        issues.some((issue) => issue.includes(`/services/nightly/${key} is not for a service with a schedule`)),
      ).toBe(true);
    expect(issues.some((issue) => issue.includes("/services/web/dependsOn/0 has a schedule"))).toBe(true);
  });
});

describe("parseConfig() of rules for routes of our own", () => {
  const rule = (text: string): string => `services: {}\ngateway: [${text}]\n`;

  test("takes a rule without a service that binds something", () => {
    const parsed = parseConfig(rule("{ path: /orders, rateLimit: 5, key: orders }"));
    expect(parsed).toMatchObject({
      ok: true,
      gateway: [{ path: "/orders", service: null, rateLimit: 5, key: "orders" }],
    });
  });

  test("refuses one that says nothing, and stripPrefix, which means nothing there", () => {
    expect(issuesOf(rule("{ path: /orders }")).join()).toContain("says nothing");
    expect(issuesOf(rule("{ path: /orders, rateLimit: 1, stripPrefix: true }")).join()).toContain(
      "with a service alone",
    );
  });
});

test("parseConfig() takes secrets as files, and fileForm() writes them back", () => {
  const parsed = parseConfig(service("secrets: [token, db-password]"));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  expect(parsed.services["web"]?.spec.secrets).toEqual(["token", "db-password"]);
  expect(parseConfig(JSON.stringify({ services: fileForm(parsed.services) }))).toMatchObject({ ok: true });
  // A service without them is the same as before there were any: nothing is made anew for it.
  const plain = parseConfig(service("replicas: 1"));
  expect(plain.ok && Object.hasOwn(plain.services["web"]?.spec ?? {}, "secrets")).toBe(false);
});
