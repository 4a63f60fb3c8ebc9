import { expect, test } from "bun:test";
import { openEngine, readEngineAddress, readEngines } from "./engine.ts";
import { readSettings } from "./settings.ts";

test("readEngineAddress() reads each driver's form", () => {
  expect(readEngineAddress("docker:")).toEqual({ driver: "docker", host: undefined });
  for (const host of ["unix:///run/docker.sock", "tcp://10.0.0.2:2376", "ssh://me@build.example:22"])
    expect(readEngineAddress(`docker:${host}`)).toEqual({ driver: "docker", host });
  expect(readEngineAddress("process:")).toEqual({ driver: "process", directory: undefined });
  expect(readEngineAddress("process:/srv/services")).toEqual({ driver: "process", directory: "/srv/services" });
  expect(readEngineAddress("kubernetes:?kubeconfig=/etc/k.yaml&context=prod&namespace=shop")).toEqual({
    driver: "kubernetes",
    kubeconfig: "/etc/k.yaml",
    context: "prod",
    namespace: "shop",
  });
  expect(readEngineAddress("kubernetes:")).toMatchObject({ driver: "kubernetes", context: undefined });
});

test("readEngineAddress() takes nothing else", () => {
  for (const text of [
    "",
    "docker",
    "podman:unix:///x",
    "docker:/run/docker.sock",
    "docker:unix://",
    "docker:ftp://host",
    "process:relative",
    "kubernetes:prod",
    "kubernetes:?cluster=prod",
  ])
    expect(readEngineAddress(text)).toBeUndefined();
});

test("readEngines() takes several, each with a name of its own", () => {
  expect(readEngines("process:")).toEqual([{ name: undefined, address: { driver: "process", directory: undefined } }]);
  const two = readEngines("a=docker:unix:///run/docker.sock, b=kubernetes:?context=prod");
  expect(two?.map(({ name, address }) => [name, address.driver])).toEqual([
    ["a", "docker"],
    ["b", "kubernetes"],
  ]);
  for (const text of ["", "process:,docker:", "a=process:,a=docker:", "a=process:,docker:", "A=process:", "a=podman:"])
    expect(readEngines(text)).toBeUndefined();
});

test("TROUPE_ENGINE is checked with the other settings, and never shown: it may hold a name and a password", () => {
  expect(readSettings({ TROUPE_ENGINE: "process:" }).TROUPE_ENGINE).toBe("process:");
  let message = "";
  try {
    readSettings({ TROUPE_ENGINE: "podman://u:s3cret@h" });
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain("TROUPE_ENGINE: expected docker:unix:///…");
  expect(message).not.toContain("s3cret");
});

test("openEngine() opens the driver that is named, and connects to nothing yet", () => {
  const options = { cluster: "c", signingKeys: [], tls: {} };
  for (const [text, driver, checks] of [
    ["docker:tcp://127.0.0.1:1", "docker", ["exec"]],
    ["process:/nowhere", "process", ["exec"]],
    ["kubernetes:?kubeconfig=/nowhere", "kubernetes", ["exec", "http", "tcp"]],
  ] as const) {
    const engine = openEngine(readEngineAddress(text)!, options);
    expect([engine.driver, [...engine.checks], engine.cluster]).toEqual([driver, [...checks], "c"]);
  }
});
