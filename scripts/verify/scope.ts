import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** What a run covers. `files` narrows it to these, relative to the root; without them it is the whole tree. */
export interface Scope {
  /** The folders of code that are there. */
  readonly areas: readonly string[];
  /** Unit tests to run: those that need no server. */
  readonly tests: readonly string[];
  readonly files?: readonly string[];
}

const AREAS = ["runtime", "infra", "actors", "workflows", "scripts"];
const TESTS = new Bun.Glob(`{${AREAS.join(",")}}/**/*.test.{ts,tsx}`);
const NEEDS_SERVERS = /\.(?:integration|e2e)\.test\.tsx?$/u;

/** Everything below `root`. */
export function wholeTree(root: string): Scope {
  const tests = [...TESTS.scanSync({ cwd: root })].filter((path) => isUnitTest(path)).sort();
  return { areas: AREAS.filter((area) => existsSync(join(root, area))), tests };
}

/** What is staged in git and still there, with the unit tests of the folders that it touches. */
export function stagedFiles(root: string): Scope {
  const git = Bun.spawnSync(["git", "diff", "--cached", "--name-only", "--diff-filter=d", "-z"], { cwd: root });
  if (!git.success) throw new Error(`Cannot list the staged files: ${git.stderr.toString().trim()}`);
  const files = git.stdout.toString().split("\0").filter(Boolean);
  return narrowTo(wholeTree(root), files);
}

/** The scope with only these files, and only the tests that stand in their folders. */
export function narrowTo(scope: Scope, files: readonly string[]): Scope {
  const folders = new Set(files.map((path) => dirname(path)));
  return { ...scope, files, tests: scope.tests.filter((path) => folders.has(dirname(path))) };
}

/** Whether the path is a test that runs without servers. */
export function isUnitTest(path: string): boolean {
  return !NEEDS_SERVERS.test(path) && !path.includes("node_modules/");
}
