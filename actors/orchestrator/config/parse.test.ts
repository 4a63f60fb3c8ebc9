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
    expect(parseConfig("services: {}\n")).toEqual({ ok: true, services: {} });
  });

  test("what fileForm() gives back", () => {
    const first = parseConfig(service('ports: [8080, "9000:81"]'));
    if (!first.ok) throw new Error("expected a valid file");
    expect(parseConfig(JSON.stringify({ services: fileForm(first.services) }))).toEqual(first);
  });
});

describe("parseConfig() names", () => {
  test("every error at once, with line, column and pointer, in order", () => {
    const text =
      "services:\n  Web:\n    image: nginx:latest\n    replicas: 101\n    replica: 2\n    env: { A-B: 1, C: 1.5 }\n  c: {}\nother: 1\n";
    expect(issuesOf(text)).toEqual([
      "line 2, column 3: /services/Web is not a name: lower case, digits and hyphens, at most 63, a letter first",
      "line 3, column 12: /services/Web/image must not be tagged latest: it says nothing about what runs",
      "line 4, column 15: /services/Web/replicas must be a whole number from 0 to 100",
      "line 5, column 5: /services/Web/replica is not a known key: did you mean replicas?",
      "line 6, column 12: /services/Web/env/A-B is not the name of a variable",
      "line 6, column 23: /services/Web/env/C must be text, a whole number or a boolean: put anything else in quotes",
      "line 7, column 6: /services/c/image is required",
      "line 8, column 1: /other is not a known key",
    ]);
  });

  test.each(["volumes", "health", "update", "scale", "dependsOn"])(
    "%s as not supported yet, rather than passing it over",
    (key) => {
      expect(issuesOf(service(`${key}: {}`))).toEqual([`line 4, column 5: /services/web/${key} is not supported yet`]);
    },
  );

  test("ports that cannot be", () => {
    expect(issuesOf(service('ports: [0, 65536, 80.5, "x", "1:2:3", "0:80"]'))).toHaveLength(6);
    expect(issuesOf(service("ports: [80, 80]"))[0]).toContain("names the container port 80 again");
    expect(issuesOf(service('replicas: 2\n    ports: ["9000:80"]'))[0]).toContain("one replica only");
    const twice =
      'services:\n  a: { image: "troupe/echo:1", ports: ["9000:80"] }\n  b: { image: "troupe/echo:1", ports: ["9000:80"] }\n';
    expect(issuesOf(twice)[0]).toContain("which a pins already");
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
  `privileged cap_add capAdd CapAdd cap_drop network_mode networkMode NetworkMode networks pid PidMode ipc IpcMode devices Devices
  device_cgroup_rules security_opt SecurityOpt userns userns_mode UsernsMode sysctls Sysctls runtime Runtime binds Binds mounts Mounts tmpfs
  volumes_from VolumesFrom volume_driver VolumeDriver uts UTSMode cgroup_parent CgroupParent cgroupns_mode extra_hosts ExtraHosts dns Dns links
  Links group_add GroupAdd oom_score_adj OomScoreAdj oom_kill_disable shm_size ShmSize ulimits Ulimits log_config LogConfig logging restart
  RestartPolicy AutoRemove PublishAllPorts ReadonlyRootfs StorageOpt init Isolation MaskedPaths ReadonlyPaths BlkioWeight CpuShares MemorySwap
  user User entrypoint Entrypoint working_dir labels Labels build container_name hostname domainname secrets configs HostConfig expose gpus`.split(
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
