import { expect, test } from "bun:test";
import type { ConfigIssue } from "./issue.ts";
import { readYaml } from "./read-yaml.ts";

function issuesOf(text: string, ...at: (string | number)[]): readonly ConfigIssue[] {
  const read = readYaml(text);
  if ("issues" in read) return read.issues;
  return at.length === 0 ? [] : [read.file.locate({ at, onKey: true, message: "is wrong" })];
}

test("readYaml() shows the line of an issue with a caret below its column", () => {
  const [issue] = issuesOf("services:\n  web:\n    replcas: 3\n", "services", "web", "replcas");
  expect(issue?.excerpt).toBe("3 |     replcas: ·\n  |     ^");
});

test("readYaml() shows no value that may be a secret: neither of a variable nor of a line that cannot be read", () => {
  const env = 'services:\n  web:\n    env:\n      TOKEN: s3cret\n      - "x"\n';
  const [syntax] = issuesOf(env);
  expect(syntax?.excerpt).toBeDefined();
  expect(JSON.stringify(issuesOf(env))).not.toContain("s3cret");
  const [broken] = issuesOf('services:\n  web:\n    env: { TOKEN: "s3cret\n');
  expect(broken?.message).toBeDefined();
  expect(JSON.stringify(issuesOf('services:\n  web:\n    env: { TOKEN: "s3cret\n'))).not.toContain("s3cret");
  const [variable] = issuesOf("services:\n  web:\n    env:\n      A B: s3cret\n", "services", "web", "env", "A B");
  expect(variable?.excerpt).toBe("4 |       · ·: ······\n  |       ^");
});

test("readYaml() shows what is not too long of a line, and nothing of an empty one", () => {
  const [long] = issuesOf(`services:\n  web: ${"x".repeat(500)}\n`, "services", "web");
  expect(long?.excerpt?.length).toBeLessThan(300);
  expect(long?.excerpt).toContain("…");
  const [flow] = issuesOf('a: { b: 1, "c": [x, "y, z: 1"] }\n', "a", "c");
  expect(flow?.excerpt).toBe('1 | a: { b: ·, "c": [·, ·········] }\n  |            ^');
  expect(issuesOf("a: [")[0]?.line).toBe(1);
});
