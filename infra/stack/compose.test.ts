import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { composeProgram, findComposition } from "./compose.ts";
import { RECIPES } from "./recipes.ts";
import { temporaryFolder } from "./testing.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const text = readFileSync(join(import.meta.dirname, "..", "..", "compose.yaml"), "utf8");
const { services } = parse(text, { merge: true }) as {
  services: Record<string, { image: string; ports: string[]; healthcheck?: unknown; volumes: string[] }>;
};
const containers = Object.values(RECIPES).filter((recipe) => recipe.compose !== undefined);

test("compose.yaml has a service with a health check and a volume for every server that can be a container", () => {
  for (const { name } of containers) {
    expect(services[name]?.healthcheck).toBeDefined();
    expect(services[name]?.volumes).not.toBeEmpty();
    expect(services[name]?.image).toMatch(/:\d+\.\d+/);
  }
});

test("compose.yaml publishes on loopback only, through the variables that the recipes set", () => {
  for (const recipe of containers) {
    const ports = services[recipe.name]?.ports ?? [];
    expect(ports.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
    for (const [variable, usual] of Object.entries(recipe.compose?.ports ?? {}))
      expect(ports.join(" ")).toContain(`\${${variable}:-${usual}}`);
  }
});

test("compose.yaml keeps acknowledged writes", () => {
  expect(text).toContain("sync_interval: always");
  expect(text).toContain('"--appendfsync", "always"');
  expect(text).not.toContain("fsync=off");
});

test("a container is started on its own port, waited for, and removed again", async () => {
  using folder = temporaryFolder();
  using docker = fakeDocker(folder.path);
  const composition = await findComposition("compose", "abc123", [RECIPES.nats]);
  expect(composition?.has("nats")).toBe(true);
  const launch = await composeProgram(
    RECIPES.nats,
    composition,
  )({ dir: folder.path, id: "abc123", port: () => Promise.resolve(4555), run: () => Promise.resolve("") });
  expect(launch.env).toEqual({ NATS_URL: "nats://127.0.0.1:4555" });
  await launch.cleanUp?.();
  const calls = docker.calls().filter((call) => call.includes("--project-name troupe-abc123"));
  expect(calls.map((call) => call.replace(/^.*troupe-abc123 /, ""))).toEqual([
    "up --detach --wait nats port=4555",
    "rm --stop --force nats port=4555",
  ]);
});

test("findComposition() starts processes when no image is here and nobody asked for containers", async () => {
  using folder = temporaryFolder();
  using _docker = fakeDocker(folder.path);
  expect(await findComposition(undefined, "abc123", [RECIPES.nats])).toBeUndefined();
});

/** A `docker` on the PATH that notes how it is called and has no images. */
function fakeDocker(folder: string): { calls(): string[] } & Disposable {
  const bin = join(folder, "bin");
  const log = join(folder, "calls");
  mkdirSync(bin);
  const script = `#!/bin/sh\necho "$* port=$NATS_PORT" >> ${log}\n[ "$1" != image ]\n`;
  writeFileSync(join(bin, "docker"), script, { mode: 0o755 });
  const before = process.env["PATH"];
  process.env["PATH"] = `${bin}:${before}`;
  return {
    calls: () => readFileSync(log, "utf8").trim().split("\n"),
    [Symbol.dispose]: () => {
      process.env["PATH"] = before;
    },
  };
}
