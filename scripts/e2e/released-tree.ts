/** The tree of an earlier version, to run beside this one. */
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
/** Stands for a release as long as there is none: a tag, once there is one, goes before. */
const BEFORE_RELEASES = "0854ffb67310018c8dc9de63557d7f23554b70bf";

/** A version that can be had from the history. */
export interface Release {
  readonly name: string;
  readonly commit: string;
}

/** The last release, or why it cannot be had: a shallow clone has no history, and a copied folder none at all. */
export function lastRelease(): Release | { readonly why: string } {
  if (git("rev-parse", "--git-dir") === undefined)
    return { why: "this folder is no clone, so that there is no history" };
  const tag = git("describe", "--tags", "--abbrev=0", "HEAD^");
  const commit = git("rev-parse", "--verify", "--quiet", `${tag ?? BEFORE_RELEASES}^{commit}`);
  if (commit !== undefined) return { name: tag ?? `commit ${commit.slice(0, 7)}`, commit };
  const shallow = git("rev-parse", "--is-shallow-repository") === "true";
  return {
    why: shallow
      ? "the clone is shallow: git fetch --unshallow --tags"
      : "the history has neither a tag nor that commit",
  };
}

/** The files of a release in a folder of their own, with the packages they were made for. Removed when it is disposed of. */
export class ReleasedTree implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** `scripts/app.ts` of that tree. */
  get script(): string {
    return join(this.#folder, "scripts", "app.ts");
  }

  /** @throws {Error} its files cannot be read from the history, or its packages cannot be had. */
  static async open({ name, commit }: Release): Promise<ReleasedTree> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-release-"));
    const tree = new ReleasedTree(folder);
    try {
      must(`read ${name}`, ["sh", "-c", `git -C "${ROOT}" archive ${commit} | tar -x -C "${folder}"`]);
      const lock = (root: string): string => readFileSync(join(root, "bun.lock"), "utf8");
      if (existsSync(join(ROOT, "node_modules")) && lock(ROOT) === lock(folder))
        await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
      else must(`install the packages of ${name}`, [process.execPath, "install", "--frozen-lockfile", "--cwd", folder]);
      return tree;
    } catch (error) {
      await tree[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function git(...args: readonly string[]): string | undefined {
  if (Bun.which("git") === null) return undefined;
  const { exitCode, stdout } = Bun.spawnSync(["git", "-C", ROOT, ...args], { stderr: "ignore" });
  return exitCode === 0 ? stdout.toString().trim() : undefined;
}

function must(what: string, command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], {
    stdout: "ignore",
    stderr: "pipe",
    env: { ...process.env, CI: "1" },
  });
  if (exitCode !== 0) throw new Error(`Cannot ${what}: ${stderr.toString().trim()}`);
}
