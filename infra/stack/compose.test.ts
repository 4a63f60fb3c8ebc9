import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

import { RECIPES } from "./recipes.ts";

const text = readFileSync(join(import.meta.dirname, "..", "..", "compose.yaml"), "utf8");
const { services } = parse(text) as { services: Record<string, { image: string; ports: string[]; healthcheck?: unknown; volumes: string[] }> };
const containers = Object.values(RECIPES).filter((recipe) => recipe.compose !== undefined);

test("compose.yaml has a service with a health check and a volume for every server that can be a container", () => {
  expect(Object.keys(services).toSorted()).toEqual(containers.map((recipe) => recipe.name).toSorted());
  for (const service of Object.values(services)) {
    expect(service.healthcheck).toBeDefined();
    expect(service.volumes).not.toBeEmpty();
    expect(service.image).toMatch(/:\d+\.\d+/);
  }
});

test("compose.yaml publishes on loopback only, through the variables that the recipes set", () => {
  for (const recipe of containers) {
    const ports = services[recipe.name]?.ports ?? [];
    expect(ports.every((port) => port.startsWith("127.0.0.1:"))).toBe(true);
    for (const [variable, usual] of Object.entries(recipe.compose?.ports ?? {})) expect(ports.join(" ")).toContain(`\${${variable}:-${usual}}`);
  }
});

test("compose.yaml keeps acknowledged writes", () => {
  expect(text).toContain("sync_interval: always");
  expect(text).toContain('"--appendfsync", "always"');
  expect(text).not.toContain("fsync=off");
});
