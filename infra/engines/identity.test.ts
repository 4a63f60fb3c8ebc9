import { describe, expect, test } from "bun:test";
import { containerName, LABELS, Signer } from "./identity.ts";

const marks = { service: "web", revision: "abc123", replica: 2, fence: 7, image: "troupe/echo:1", uid: "u1" };
const signer = new Signer("dev", ["key"]);

describe("Signer", () => {
  test("reads back what it has written", () => {
    expect(signer.read(signer.labels(marks))).toEqual({ cluster: "dev", ...marks });
  });

  test("knows what any of its keys signed, and signs with the first: a container outlives the rotation of its key", () => {
    const rotated = new Signer("dev", ["new", "key"]);
    expect(rotated.read(signer.labels(marks))).toEqual({ cluster: "dev", ...marks });
    expect(new Signer("dev", ["new"]).read(rotated.labels(marks))).toEqual({ cluster: "dev", ...marks });
  });

  test("does not know labels of another cluster, of nobody, signed with another key, or written by hand", () => {
    expect(new Signer("prod", ["key"]).read(signer.labels(marks))).toBeUndefined();
    expect(new Signer("dev", ["other"]).read(signer.labels(marks))).toBeUndefined();
    expect(signer.read({})).toBeUndefined();
    expect(signer.read(undefined)).toBeUndefined();
    for (const label of Object.values(LABELS)) {
      const { [label]: _gone, ...rest } = signer.labels(marks);
      expect(signer.read(rest)).toBeUndefined();
      expect(signer.read({ ...signer.labels(marks), [label]: "3" })).toBeUndefined();
    }
  });
});

test("containerName() is the same wherever it is computed, and differs by slot, revision and cluster", () => {
  const identity = { cluster: "dev", service: "web", revision: "abc123", replica: 2 };
  const others = [
    identity,
    { ...identity, replica: 3 },
    { ...identity, revision: "def" },
    { ...identity, cluster: "x" },
  ];
  expect(new Set(others.map(containerName)).size).toBe(4);
  expect(containerName(identity)).toBe("troupe-dev-web-abc123-2");
});
