import { describe, expect, test } from "bun:test";
import { containerName, identityOf, labelsOf } from "./labels.ts";

const identity = { cluster: "dev", service: "web", revision: "abc123", replica: 2 };

describe("identityOf()", () => {
  test("reads back what labelsOf() writes", () => {
    expect(identityOf("dev", labelsOf(identity))).toEqual(identity);
  });

  test("does not know containers of another cluster, of nobody, or with labels we never write", () => {
    expect(identityOf("prod", labelsOf(identity))).toBeUndefined();
    expect(identityOf("dev", {})).toBeUndefined();
    expect(identityOf("dev", undefined)).toBeUndefined();
    for (const replica of ["-1", "1.5", "x", "", "99999"]) {
      expect(identityOf("dev", { ...labelsOf(identity), "troupe.replica": replica })).toBeUndefined();
    }
    expect(identityOf("dev", { ...labelsOf(identity), "troupe.service": "" })).toBeUndefined();
  });
});

test("containerName() is the same wherever it is computed, and differs by slot, revision and cluster", () => {
  const others = [
    identity,
    { ...identity, replica: 3 },
    { ...identity, revision: "def" },
    { ...identity, cluster: "x" },
  ];
  expect(new Set(others.map(containerName)).size).toBe(4);
  expect(containerName(identity)).toBe("troupe-dev-web-abc123-2");
});
